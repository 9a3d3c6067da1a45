//! `DELETE /v1.0/groups/{object id}/members/{object id}/$ref`

use keyless_model::ObjectId;
use keyless_model::entity::{Group, Mutation};
use serde_json::json;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::find;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let named = call.param("member");
    let member: ObjectId = named.parse().map_err(|_| find::missing(named))?;
    call.commit(|snapshot| {
        let (_, group) = find::group(call, snapshot, call.param("id"))?;
        let mut next: Group = group.clone();
        if !next.members.remove(&member) {
            return Err(find::missing(named));
        }
        let (before, after) = (json!({ "members": group.members }), json!({ "id": group.id, "members": next.members }));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
