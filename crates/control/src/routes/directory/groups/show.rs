//! `GET /v1.0/groups/{object id}`

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let (principal, group) = find::group(call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::group(principal, group)))
}
