//! `GET /v1.0/applications/{object id}`

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    Ok(Reply::ok(shape::application(find::application(call, &call.snapshot, call.param("id"))?)))
}
