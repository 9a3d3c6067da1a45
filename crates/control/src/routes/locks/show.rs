//! `GET {scope}/…/locks/{name}`

use super::{find, missing, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let name = call.param("name");
    Ok(Reply::ok(shape(find(&call.snapshot, &call.scope, name).ok_or_else(|| missing(name))?)))
}
