//! Ids of new resources: below things that exist, spelled as those are.

use keyless_directory::invariant::scopes::group_of;
use keyless_model::Scope;
use keyless_model::entity::Account;
use keyless_store::Snapshot;

use crate::failure::Failure;

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
    snapshot.live_account(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

/// `scope` with its part `given` spelled as `known`.
pub(crate) fn respelled(scope: &Scope, given: &Scope, known: &Scope) -> Result<Scope, Failure> {
    let rest = scope.as_str().get(given.as_str().len()..).unwrap_or_default();
    format!("{known}{rest}").parse().map_err(|_| Failure::no_such(scope))
}
