//! What there is to know about the running system.

use keyless_model::Scope;
use keyless_model::entity::{IdentityKind, ManagedIdentity};
use keyless_store::Snapshot;

use super::Door;
use super::api::{AccountStatus, IdentityStatus, Status};

/// The name by which people call an identity.
pub(crate) fn identity_name(identity: &ManagedIdentity) -> String {
    match &identity.identity_kind {
        IdentityKind::UserAssigned => identity.scope.name().to_owned(),
        IdentityKind::SystemAssigned { owner } => owner.name().to_owned(),
    }
}

pub(super) fn is_own(snapshot: &Snapshot, identity: &ManagedIdentity) -> bool {
    snapshot.tenant(identity.tenant).is_some_and(|tenant| tenant.created == identity.created)
}

pub(super) fn identity_status(identity: &ManagedIdentity) -> IdentityStatus {
    IdentityStatus {
        name: identity_name(identity),
        id: match &identity.identity_kind {
            IdentityKind::UserAssigned => identity.scope.to_string(),
            IdentityKind::SystemAssigned { owner } => owner.to_string(),
        },
        client_id: identity.client_id.to_string(),
        principal_id: identity.principal_id.to_string(),
    }
}

pub(crate) fn status(door: &Door) -> Status {
    let (platform, facts) = (&door.platform, &door.facts);
    let snapshot = platform.directory.snapshot();
    let endpoints = &platform.endpoints;
    let tenant = snapshot.tenants().next();
    // Of namesakes the system's own comes first, as `find` means it.
    let mut identities: Vec<_> = snapshot.identities().map(|one| (!is_own(&snapshot, one), identity_status(one))).collect();
    identities.sort_by(|a, b| (&a.1.name, a.0, &a.1.id).cmp(&(&b.1.name, b.0, &b.1.id)));
    let identities = identities.into_iter().map(|(_, identity)| identity).collect();
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started: facts.started,
        data: door.data.root().display().to_string(),
        authority: endpoints.authority.clone(),
        control: endpoints.control.clone(),
        gateway: endpoints.gateway.clone(),
        gateway_http: facts.gateway_http.clone(),
        metadata: endpoints.metadata.clone(),
        operations: facts.operations_url.clone(),
        ca_file: facts.ca_file.clone(),
        ca_bundle: facts.ca_bundle.clone(),
        tenant_id: tenant.map(|tenant| tenant.id.to_string()).unwrap_or_default(),
        tenant_domain: tenant.map(|tenant| tenant.domain.clone()).unwrap_or_default(),
        subscription_id: snapshot.subscriptions().next().map(|found| found.id.to_string()).unwrap_or_default(),
        accounts: snapshot
            .accounts_below(&Scope::root())
            .filter(|account| account.deleted.is_none())
            .map(|account| AccountStatus {
                name: account.scope.name().to_owned(),
                id: account.scope.to_string(),
                endpoint: format!("{}/ai/{}", endpoints.gateway, account.custom_subdomain),
                deployments: snapshot.deployments_of(&account.scope).map(|deployment| deployment.scope.name().to_owned()).collect(),
            })
            .collect(),
        identities,
        sign_in: facts.sign_in.clone(),
        upstreams: facts.upstreams.read().expect("no holder of this lock panics").clone(),
        deployments: crate::upstreams::deployments(&snapshot, &facts.gateway),
        trusted_tenants: facts.trusted_tenants.iter().map(ToString::to_string).collect(),
        host: facts.host.to_string(),
        revision: snapshot.revision().0,
        health: facts.operations.health(),
    }
}
