//! `POST /v1.0/directoryObjects/{object id}/checkMemberGroups`: which of these groups hold the object, through other groups too.

use keyless_model::ObjectId;
use serde::Deserialize;
use serde_json::json;

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::find;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    group_ids: Vec<ObjectId>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let row = find::principal(call, &call.snapshot, call.param("id"))?;
    let held = call.snapshot.policy().groups_of(row.id);
    let value: Vec<ObjectId> = body.group_ids.into_iter().filter(|id| held.contains(id)).collect();
    Ok(Reply::ok(json!({ "value": value })))
}
