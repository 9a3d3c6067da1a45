//! `GET …/deployments/{name}`

use super::{find, shape};
use crate::answer::Reply;
use crate::arm::precondition::etag;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let deployment = find(&call.snapshot, &call.scope)?;
    Ok(Reply::ok(shape(deployment)).etag(&etag(deployment.version)))
}
