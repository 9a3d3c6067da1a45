//! `POST /v1.0/groups/{object id}/members/$ref`

use keyless_model::entity::{Group, Mutation};
use serde::Deserialize;
use serde_json::json;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::find;
use crate::routes::directory::bad;

#[derive(Deserialize)]
struct Body {
    /// `{graph}/v1.0/directoryObjects/{id}`; only the id at its end is read.
    #[serde(rename = "@odata.id")]
    reference: String,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let member = body.reference.rsplit('/').next().unwrap_or_default();
    call.commit(|snapshot| {
        let (_, group) = find::group(call, snapshot, call.param("id"))?;
        let member = find::principal(call, snapshot, member)?;
        if member.id == group.id {
            return Err(bad("A group cannot be a member of itself."));
        }
        let mut next: Group = group.clone();
        if !next.members.insert(member.id) {
            return Err(bad("One or more added object references already exist for the following modified properties: 'members'."));
        }
        let (before, after) = (json!({ "members": group.members }), json!({ "id": group.id, "members": next.members }));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
