//! `GET {scope}/…/roleDefinitions/{guid}`

use super::{id, is_visible, missing, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let id = id(call)?;
    let role = call.snapshot.policy().role(id).filter(|role| is_visible(call, role));
    Ok(Reply::ok(shape(role.ok_or_else(|| missing(id))?, &call.scope)))
}
