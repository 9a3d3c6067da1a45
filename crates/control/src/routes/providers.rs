//! Resource providers: which types and api-versions there are. `az resource` asks before it touches a resource by id.

pub(super) mod list;
pub(super) mod show;
pub(super) mod types;
pub(super) mod unregister;

use keyless_model::Scope;
use serde_json::{Value, json};

use crate::failure::Failure;

/// The api-versions that clients are told of. Any version is accepted; the first stable one is what `az resource` then sends.
const VERSIONS: &[&str] = &["2024-10-01", "2023-05-01", "2025-04-01-preview"];

/// Namespace and its types.
const PROVIDERS: &[(&str, &[&str])] = &[
    ("Microsoft.Authorization", &["roleAssignments", "roleDefinitions", "denyAssignments", "locks"]),
    (
        "Microsoft.CognitiveServices",
        &["accounts", "accounts/deployments", "deletedAccounts", "locations", "locations/resourceGroups/deletedAccounts"],
    ),
    ("Microsoft.Compute", &["virtualMachines"]),
    ("Microsoft.Insights", &["eventtypes"]),
    ("Microsoft.ManagedIdentity", &["userAssignedIdentities", "userAssignedIdentities/federatedIdentityCredentials"]),
    ("Microsoft.Management", &["managementGroups"]),
    ("Microsoft.Resources", &["subscriptions", "resourceGroups", "tenants"]),
];

/// The provider of that namespace, in its own spelling. One that is not listed holds generic resources and has no types to tell.
fn named(namespace: &str) -> Option<(&'static str, &'static [&'static str])> {
    PROVIDERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(namespace)).copied()
}

pub(super) fn unknown(namespace: &str) -> Failure {
    let shown: String = namespace.chars().take(100).filter(|c| !c.is_control()).collect();
    Failure::not_found("InvalidResourceNamespace", format!("The resource namespace '{shown}' is invalid."))
}

/// The provider as ARM shows it to a question at a subscription or at the root.
fn shape(at: &Scope, namespace: &str, types: &[&str], location: &str) -> Value {
    let types: Vec<Value> = types
        .iter()
        .map(|kind| json!({ "resourceType": kind, "locations": [location, "East US"], "apiVersions": VERSIONS, "capabilities": "None" }))
        .collect();
    json!({
        "id": format!("{}/providers/{namespace}", at.as_str().trim_end_matches('/')),
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": types,
    })
}
