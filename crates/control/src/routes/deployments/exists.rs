//! `HEAD …/deployments/{name}`: 204 or 404.

use super::find;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    find(&call.snapshot, &call.scope)?;
    Ok(Reply::no_content())
}
