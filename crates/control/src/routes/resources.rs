//! Resources by id, whatever their type: those that Keyless gives a meaning to have routes of their own; the rest is kept as it was
//! written.

pub(super) mod body;
pub(super) mod delete;
pub(super) mod exists;
pub(super) mod list;
pub(super) mod patch;
pub(super) mod put;
pub(super) mod show;

use keyless_model::entity::GenericResource;
use keyless_model::{Scope, ScopeKind};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Namespaces whose resources have a meaning here. A resource of such a type is never stored as mere text: it would look like a
/// grant or an identity and be none.
const RESERVED: &[&str] = &[
    "Microsoft.Authorization",
    "Microsoft.CognitiveServices",
    "Microsoft.Compute",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.Management",
    "Microsoft.Resources",
];

/// Refuses what is no resource in a resource group, or one of a reserved namespace.
fn require_generic(scope: &Scope) -> Result<(), Failure> {
    let kind = scope.resource_type().filter(|_| scope.kind() == ScopeKind::Resource && scope.resource_group().is_some());
    let Some(kind) = kind else {
        return Err(Failure::not_found("NotFound", "The requested path does not exist here; check the resource type and its spelling."));
    };
    let namespaces = scope.as_str().split("/providers/").skip(1).filter_map(|rest| rest.split('/').next());
    for namespace in namespaces {
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(namespace)) && kind.starts_with(namespace) {
            let message = format!("The resource type could not be found in the namespace '{namespace}': '{kind}'.");
            return Err(Failure::not_found("InvalidResourceType", message));
        }
    }
    Ok(())
}

fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a GenericResource, Failure> {
    require_generic(scope)?;
    snapshot.resource(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

fn shape(resource: &GenericResource) -> Value {
    let mut body = json!({
        "id": resource.scope,
        "name": resource.scope.name(),
        "type": resource.scope.resource_type(),
        "location": resource.location,
        "tags": resource.tags,
    });
    if let (Some(body), Some(kept)) = (body.as_object_mut(), resource.body.as_object()) {
        body.extend(kept.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    body
}
