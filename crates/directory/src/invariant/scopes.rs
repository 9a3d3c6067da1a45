//! Whether a scope names something that is there.

use keyless_model::{Scope, ScopeKind};

use crate::Snapshot;

/// The resource group that holds `scope`.
#[must_use]
pub fn group_of(scope: &Scope) -> Option<Scope> {
    let mut current = scope.clone();
    while current.kind() != ScopeKind::ResourceGroup {
        current = current.parent()?;
    }
    Some(current)
}

/// Whether what the scope names exists, as far as Keyless knows it. Assigning a role at what does not exist yet would plant a
/// grant in a future resource.
#[must_use]
pub fn exists(snapshot: &Snapshot, scope: &Scope) -> bool {
    match scope.kind() {
        ScopeKind::Root => true,
        ScopeKind::ManagementGroup => snapshot.management_group(scope.name()).is_some(),
        ScopeKind::Subscription => scope.subscription_id().is_some_and(|id| snapshot.subscription(id).is_some()),
        ScopeKind::ResourceGroup => snapshot.resource_group(scope).is_some(),
        ScopeKind::Resource => {
            snapshot.live_account(scope).is_some()
                || snapshot.host(scope).is_some()
                || snapshot.user_assigned(scope).is_some()
                || snapshot.resource(scope).is_some()
                || is_deployment(snapshot, scope)
        }
    }
}

fn is_deployment(snapshot: &Snapshot, scope: &Scope) -> bool {
    scope.is_type("Microsoft.CognitiveServices/accounts/deployments")
        && scope
            .parent()
            .is_some_and(|parent| snapshot.live_account(&parent).is_some() && snapshot.deployment(&parent, scope.name()).is_some())
}
