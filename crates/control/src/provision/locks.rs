//! Management locks: what they forbid, wherever a change comes from.

use http::Method;
use keyless_model::entity::LockLevel;
use keyless_model::{Scope, ScopeKind};
use keyless_store::Snapshot;

use crate::failure::Failure;

/// Refuses a change by `action` at `scope` that a lock at it or above forbids. Deleting a resource takes along what is below it,
/// so a lock there forbids that too.
pub(crate) fn check(snapshot: &Snapshot, scope: &Scope, method: &Method, action: &str) -> Result<(), Failure> {
    // A lock is removed by whoever may manage locks, the lock notwithstanding.
    if starts_with(action, "Microsoft.Authorization/locks/") {
        return Ok(());
    }
    let deleting = method == Method::DELETE;
    let recursive = deleting
        && matches!(scope.kind(), ScopeKind::ResourceGroup | ScopeKind::Resource)
        && !starts_with(action, "Microsoft.Authorization/");
    let holds = |level: LockLevel| deleting || level == LockLevel::ReadOnly;
    let above = snapshot.locks_on(scope);
    let below = snapshot.locks_below(scope).filter(|_| recursive);
    let Some(lock) = above.chain(below).find(|lock| holds(lock.level)) else { return Ok(()) };
    let verb = if deleting { "delete" } else { "write" };
    let message = format!(
        "The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: '{}'. Please remove the lock and try again.",
        lock.scope
    );
    Err(Failure::conflict("ScopeLocked", message))
}

fn starts_with(action: &str, prefix: &str) -> bool {
    action.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
