//! Managed identities and the principals behind them.

use keyless_model::entity::{IdentityKind, ManagedIdentity, Mutation, Principal, PrincipalKind, Tags};
use keyless_model::{ClientId, ObjectId, Scope, TenantId};

use super::{Means, Planned};

/// A user-assigned identity at `scope`, with a new client id and a new principal: a recreated identity inherits nothing
/// (case 125).
#[must_use]
pub fn user_assigned(scope: Scope, tenant: TenantId, location: &str, tags: Tags, means: Means<'_>) -> Planned<ManagedIdentity> {
    identity(scope, IdentityKind::UserAssigned, tenant, location, tags, means)
}

/// The system-assigned identity of the resource at `owner`.
#[must_use]
pub fn system_assigned(owner: &Scope, tenant: TenantId, location: &str, means: Means<'_>) -> Planned<ManagedIdentity> {
    let kind = IdentityKind::SystemAssigned { owner: owner.clone() };
    identity(owner.clone(), kind, tenant, location, Tags::new(), means)
}

fn identity(scope: Scope, kind: IdentityKind, tenant: TenantId, location: &str, tags: Tags, means: Means<'_>) -> Planned<ManagedIdentity> {
    let entity = ManagedIdentity {
        identity_kind: kind,
        tenant,
        client_id: ClientId::new(means.entropy.uuid()),
        principal_id: ObjectId::new(means.entropy.uuid()),
        location: location.to_owned(),
        tags,
        created: means.now,
        scope,
    };
    let principal = Principal::new(entity.principal_id, tenant, PrincipalKind::ManagedIdentity, entity.scope.name(), means.now);
    let principal = Principal { client_id: Some(entity.client_id), ..principal };
    Planned { mutations: vec![Mutation::put(principal), Mutation::put(entity.clone())], entity }
}
