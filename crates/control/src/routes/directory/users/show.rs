//! `GET /v1.0/users/{object id or sign-in name}`

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let (principal, user) = find::user(call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::user(principal, user)))
}
