//! `GET …/federatedIdentityCredentials/{name}`

use super::{find, missing, owner, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let owner = owner(call, &call.snapshot)?;
    Ok(Reply::ok(shape(find(&call.snapshot, &owner, call.scope.name()).ok_or_else(|| missing(&call.scope))?)))
}
