//! `HEAD …/accounts/{name}`: 204 or 404.

use crate::answer::Reply;
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    within::account(&call.snapshot, &call.scope)?;
    Ok(Reply::no_content())
}
