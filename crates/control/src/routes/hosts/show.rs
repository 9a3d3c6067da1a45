//! `GET …/virtualMachines/{name}`

use super::{find, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    Ok(Reply::ok(shape(&call.snapshot, find(&call.snapshot, &call.scope)?)))
}
