//! `/subscriptions/{id}/resourceGroups`

pub(super) mod delete;
pub(super) mod exists;
pub(super) mod list;
pub(super) mod patch;
pub(super) mod put;
pub(super) mod show;

use keyless_model::Scope;
use keyless_model::entity::ResourceGroup;
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::failure::Failure;

fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a ResourceGroup, Failure> {
    snapshot.resource_group(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

fn shape(group: &ResourceGroup) -> Value {
    json!({
        "id": group.scope,
        "name": group.scope.name(),
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": if group.tags.is_empty() { Value::Null } else { json!(group.tags) },
        "properties": { "provisioningState": "Succeeded" },
    })
}
