//! `GET {scope}/…/denyAssignments/{guid}`

use super::shape;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let name = call.param("name");
    let row =
        call.snapshot.policy().deny_assignments().find(|row| row.scope == call.scope && row.id.to_string().eq_ignore_ascii_case(name));
    let missing = || Failure::not_found("DenyAssignmentNotFound", format!("The deny assignment '{name}' is not found."));
    Ok(Reply::ok(shape(&call.snapshot, row.ok_or_else(missing)?)))
}
