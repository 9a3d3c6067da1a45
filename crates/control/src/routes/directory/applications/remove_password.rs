//! `POST /v1.0/applications/{object id}/removePassword`

use keyless_model::entity::{Application, Mutation};
use serde::Deserialize;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::routes::directory::bad;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    key_id: String,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    call.commit(|snapshot| {
        let row = find::application(call, snapshot, call.param("id"))?;
        let mut next: Application = row.clone();
        next.secrets.retain(|secret| !secret.id.to_string().eq_ignore_ascii_case(&body.key_id));
        if next.secrets.len() == row.secrets.len() {
            return Err(bad("No password credential found with the given keyId."));
        }
        let (before, after) = (shape::application(row), shape::application(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
