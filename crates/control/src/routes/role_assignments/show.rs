//! `GET {scope}/…/roleAssignments/{guid}`

use super::{named, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let row = named(call, &call.snapshot)?;
    let missing = || Failure::not_found("RoleAssignmentNotFound", format!("The role assignment '{}' is not found.", call.param("name")));
    Ok(Reply::ok(shape(&row.ok_or_else(missing)?, &call.scope)))
}
