//! Management locks: what they forbid, wherever a change comes from.

use keyless_model::entity::LockLevel;
use keyless_model::{Scope, ScopeKind};

use super::Violation;
use crate::Snapshot;

/// Refuses a change by `action` at `scope` that a lock at it or above forbids. Deleting a resource takes along what is below it,
/// so a lock there forbids that too.
///
/// # Errors
/// [`Violation::Locked`].
pub fn check(snapshot: &Snapshot, scope: &Scope, action: &str) -> Result<(), Violation> {
    // A lock is removed by whoever may manage locks, the lock notwithstanding.
    if starts_with(action, "Microsoft.Authorization/locks/") {
        return Ok(());
    }
    let deleting = action.rsplit('/').next().is_some_and(|verb| verb.eq_ignore_ascii_case("delete"));
    let recursive = deleting
        && matches!(scope.kind(), ScopeKind::ResourceGroup | ScopeKind::Resource)
        && !starts_with(action, "Microsoft.Authorization/");
    let holds = |level: LockLevel| deleting || level == LockLevel::ReadOnly;
    let above = snapshot.locks_on(scope);
    let below = snapshot.locks_below(scope).filter(|_| recursive);
    match above.chain(below).find(|lock| holds(lock.level)) {
        Some(lock) => Err(Violation::Locked { scope: scope.clone(), lock: lock.scope.clone(), deleting }),
        None => Ok(()),
    }
}

fn starts_with(action: &str, prefix: &str) -> bool {
    action.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
