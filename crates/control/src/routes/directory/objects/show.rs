//! `GET /v1.0/directoryObjects/{object id}`

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let row = find::principal(call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::object(&call.snapshot, row)))
}
