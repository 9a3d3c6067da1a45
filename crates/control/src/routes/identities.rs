//! `Microsoft.ManagedIdentity/userAssignedIdentities`

pub(super) mod delete;
pub(super) mod exists;
pub(super) mod list;
pub(super) mod list_associated;
pub(super) mod put;
pub(super) mod show;

use keyless_model::Scope;
use keyless_model::entity::ManagedIdentity;
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::failure::Failure;

pub(super) fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a ManagedIdentity, Failure> {
    snapshot.user_assigned(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

pub(super) fn shape(identity: &ManagedIdentity) -> Value {
    json!({
        "id": identity.scope,
        "name": identity.scope.name(),
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "location": identity.location,
        "tags": identity.tags,
        "properties": { "tenantId": identity.tenant, "principalId": identity.principal_id, "clientId": identity.client_id },
    })
}
