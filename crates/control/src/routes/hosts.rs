//! `Microsoft.Compute/virtualMachines`: hosts, as far as identities are concerned.

pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;
pub(super) mod show;

use keyless_model::Scope;
use keyless_model::entity::Host;
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::arm::identity;
use crate::failure::Failure;

fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a Host, Failure> {
    snapshot.host(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

pub(super) fn shape(snapshot: &Snapshot, host: &Host) -> Value {
    let mut body = json!({
        "id": host.scope,
        "name": host.scope.name(),
        "type": "Microsoft.Compute/virtualMachines",
        "location": host.location,
        "tags": host.tags,
        "properties": { "provisioningState": "Succeeded", "timeCreated": host.created.rfc3339() },
    });
    if let Some(block) = identity::shape(snapshot, &host.identity) {
        body["identity"] = block;
    }
    body
}
