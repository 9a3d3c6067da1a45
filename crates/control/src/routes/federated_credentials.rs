//! `…/userAssignedIdentities/{name}/federatedIdentityCredentials`: trust in one subject of one issuer.

pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;
pub(super) mod show;

use crate::federation;
use keyless_model::Scope;
use keyless_model::entity::{FederatedCredential, FederatedOwner};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::call::Call;
use crate::failure::Failure;
use crate::routes::identities;

/// The identity that the path names.
fn owner(call: &Call, snapshot: &Snapshot) -> Result<FederatedOwner, Failure> {
    let scope = if call.scope.is_type("Microsoft.ManagedIdentity/userAssignedIdentities") {
        call.scope.clone()
    } else {
        call.scope.parent().ok_or_else(|| Failure::no_such(&call.scope))?
    };
    Ok(FederatedOwner::Identity(identities::find(snapshot, &scope)?.scope.clone()))
}

fn find<'a>(snapshot: &'a Snapshot, owner: &FederatedOwner, name: &str) -> Option<&'a FederatedCredential> {
    snapshot.federated_of(owner).find(|row| row.name.eq_ignore_ascii_case(name)).map(AsRef::as_ref)
}

fn scope_of(credential: &FederatedCredential) -> String {
    match &credential.owner {
        FederatedOwner::Identity(scope) => format!("{scope}/federatedIdentityCredentials/{}", credential.name),
        FederatedOwner::Application(id) => format!("/applications/{id}/federatedIdentityCredentials/{}", credential.name),
    }
}

fn shape(credential: &FederatedCredential) -> Value {
    let mut properties = json!({ "issuer": credential.issuer, "audiences": [credential.audience] });
    federation::show(credential, &mut properties);
    json!({
        "id": scope_of(credential),
        "name": credential.name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "properties": properties,
    })
}

fn missing(scope: &Scope) -> Failure {
    Failure::not_found("NotFound", format!("The resource '{scope}' was not found."))
}
