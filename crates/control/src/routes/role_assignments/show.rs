//! `GET {scope}/…/roleAssignments/{guid}`

use super::{id, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let id = id(call)?;
    let row = call.snapshot.policy().assignment(id).filter(|row| row.scope == call.scope);
    let missing = || Failure::not_found("RoleAssignmentNotFound", format!("The role assignment '{id}' is not found."));
    Ok(Reply::ok(shape(&row.ok_or_else(missing)?, &call.scope)))
}
