//! Azure's rule for choosing an identity among those a caller carries.

use std::sync::Arc;

use keyless_model::entity::{AssignedIdentities, ManagedIdentity};
use keyless_model::{ClientId, Scope};
use keyless_store::Snapshot;

use crate::query::Selector;

/// Why no identity is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectError {
    /// None of that id is attached, or none at all.
    #[error("Identity not found")]
    NotFound,
    /// Several user-assigned identities and no selector.
    #[error("Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request")]
    Ambiguous,
}

/// Chooses among the identities a host carries: the named one; without a name the system-assigned one, else the only
/// user-assigned one. An identity that exists but is not attached is not found.
pub(crate) fn among(snapshot: &Snapshot, carried: &AssignedIdentities, selector: &Selector) -> Result<Arc<ManagedIdentity>, SelectError> {
    let system = carried.system.and_then(|id| snapshot.identity(id));
    let mut user = carried.user.iter().filter_map(|scope| snapshot.user_assigned(scope));
    match selector {
        Selector::Any => match (system, user.next(), user.next()) {
            (Some(system), _, _) => Ok(Arc::clone(system)),
            (None, Some(only), None) => Ok(Arc::clone(only)),
            (None, Some(_), Some(_)) => Err(SelectError::Ambiguous),
            (None, None, _) => Err(SelectError::NotFound),
        },
        named => system.into_iter().chain(user).find(|identity| is(identity, named)).map(Arc::clone).ok_or(SelectError::NotFound),
    }
}

/// The one identity that was lent, if the selector names it or nothing.
pub(crate) fn lent(snapshot: &Snapshot, client_id: ClientId, selector: &Selector) -> Result<Arc<ManagedIdentity>, SelectError> {
    let identity = snapshot.identity(client_id).ok_or(SelectError::NotFound)?;
    match selector {
        Selector::Any => Ok(Arc::clone(identity)),
        named if is(identity, named) => Ok(Arc::clone(identity)),
        _ => Err(SelectError::NotFound),
    }
}

fn is(identity: &ManagedIdentity, selector: &Selector) -> bool {
    let scope_is = |scope: &Scope| identity.scope == *scope;
    match selector {
        Selector::Any => true,
        Selector::Client(id) => identity.client_id == *id,
        Selector::Object(id) => identity.principal_id == *id,
        Selector::Resource(scope) => scope_is(scope),
    }
}
