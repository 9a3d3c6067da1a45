//! `GET …/accounts/{name}`

use super::shape;
use crate::answer::Reply;
use crate::arm::precondition::etag;
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let account = within::account(&call.snapshot, &call.scope)?;
    Ok(Reply::ok(shape(call, &call.snapshot, account)).etag(&etag(account.version)))
}
