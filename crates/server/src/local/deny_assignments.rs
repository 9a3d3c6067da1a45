//! Deny assignments, which the owner makes as deployment stacks make them on Azure: nobody can over ARM.

use keyless_audit::{AuditEvent, Category, ControlDetail, Outcome};
use keyless_directory::plan::deny_assignment::{self, DenyRefused, NewDenyAssignment};
use keyless_model::entity::DenyAssignment;
use keyless_model::{DenyAssignmentId, InvalidId, OpContext};
use keyless_store::{Change, Snapshot, UpdateError};

use super::Door;
use super::administration::{OWNER, begin};
use super::api::{DenyAssignmentAnswer, LocalError};
use super::door::refusal;

/// What is there already is replaced, when the wish names it.
pub(super) async fn put(door: &Door, wanted: NewDenyAssignment) -> Result<DenyAssignmentAnswer, LocalError> {
    let (ctx, fresh) = (begin(door), DenyAssignmentId::new(door.platform.entropy.uuid()));
    let plan = |snapshot: &Snapshot| {
        let (before, row, mutations) = deny_assignment::put(snapshot, &wanted, fresh, ctx.now)?;
        Ok::<_, DenyRefused>(Change::new(mutations, event(&ctx, "write", before.as_ref(), Some(&row))))
    };
    door.platform.directory.update(&ctx, &door.system.permit(OWNER), plan).await.map_err(told)?;
    Ok(DenyAssignmentAnswer { name: wanted.name.unwrap_or(fresh) })
}

pub(super) async fn remove(door: &Door, id: &str) -> Result<(), LocalError> {
    let (ctx, id) = (begin(door), id.parse().map_err(|error: InvalidId| refusal(error.to_string()))?);
    let plan = |snapshot: &Snapshot| {
        let (row, mutations) = deny_assignment::remove(snapshot, id)?;
        Ok::<_, DenyRefused>(Change::new(mutations, event(&ctx, "delete", Some(&row), None)))
    };
    door.platform.directory.update(&ctx, &door.system.permit(OWNER), plan).await.map_err(told)?;
    Ok(())
}

fn told(error: UpdateError<DenyRefused>) -> LocalError {
    match error {
        UpdateError::Refused(why) => refusal(why.to_string()),
        other => refusal(other.to_string()),
    }
}

fn event(ctx: &OpContext, verb: &str, before: Option<&DenyAssignment>, after: Option<&DenyAssignment>) -> AuditEvent {
    let document = |row: Option<&DenyAssignment>| row.and_then(|row| serde_json::to_value(row).ok());
    let operation = format!("Microsoft.Authorization/denyAssignments/{verb}");
    let mut event = AuditEvent::new(ctx, Category::Control, operation, Outcome::Allowed);
    event.target = after.or(before).map(|row| row.scope.clone());
    event.control = Some(ControlDetail { before: document(before), after: document(after) });
    event
}
