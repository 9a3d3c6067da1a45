//! Ids of new resources: below things that exist, spelled as those are.

use keyless_model::entity::Account;
use keyless_model::{Scope, ScopeKind};
use keyless_store::Snapshot;

use crate::failure::Failure;

/// The resource group that holds `scope`.
pub(crate) fn group_of(scope: &Scope) -> Option<Scope> {
    let mut current = scope.clone();
    while current.kind() != ScopeKind::ResourceGroup {
        current = current.parent()?;
    }
    Some(current)
}

/// `scope`, with its resource group spelled as it was created, so that one resource never shows two ids.
///
/// # Errors
/// 404 when the group does not exist.
pub(crate) fn in_group(snapshot: &Snapshot, scope: &Scope) -> Result<Scope, Failure> {
    let group = group_of(scope).ok_or_else(|| Failure::no_such(scope))?;
    let known = snapshot.resource_group(&group).ok_or_else(|| Failure::no_such(&group))?;
    respelled(scope, &group, &known.scope)
}

/// The live account at or above `scope`.
///
/// # Errors
/// 404 when there is none.
pub(crate) fn account<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a Account, Failure> {
    snapshot.account(scope).map(AsRef::as_ref).filter(|account| account.deleted.is_none()).ok_or_else(|| Failure::no_such(scope))
}

/// `scope` with its part `given` spelled as `known`.
pub(crate) fn respelled(scope: &Scope, given: &Scope, known: &Scope) -> Result<Scope, Failure> {
    let rest = scope.as_str().get(given.as_str().len()..).unwrap_or_default();
    format!("{known}{rest}").parse().map_err(|_| Failure::no_such(scope))
}

/// Whether what the scope names exists, as far as Keyless knows it. Assigning a role at what does not exist yet would plant a
/// grant in a future resource.
pub(crate) fn exists(snapshot: &Snapshot, scope: &Scope) -> bool {
    match scope.kind() {
        ScopeKind::Root => true,
        ScopeKind::ManagementGroup => snapshot.management_group(scope.name()).is_some(),
        ScopeKind::Subscription => scope.subscription_id().is_some_and(|id| snapshot.subscription(id).is_some()),
        ScopeKind::ResourceGroup => snapshot.resource_group(scope).is_some(),
        ScopeKind::Resource => {
            account(snapshot, scope).is_ok()
                || snapshot.host(scope).is_some()
                || snapshot.user_assigned(scope).is_some()
                || snapshot.resource(scope).is_some()
                || is_deployment(snapshot, scope)
        }
    }
}

fn is_deployment(snapshot: &Snapshot, scope: &Scope) -> bool {
    scope.is_type("Microsoft.CognitiveServices/accounts/deployments")
        && scope.parent().is_some_and(|parent| account(snapshot, &parent).is_ok() && snapshot.deployment(&parent, scope.name()).is_some())
}
