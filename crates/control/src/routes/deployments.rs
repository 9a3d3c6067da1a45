//! `…/accounts/{name}/deployments`

pub(super) mod body;
pub(super) mod delete;
pub(super) mod exists;
pub(super) mod list;
pub(super) mod patch;
pub(super) mod put;
mod quota;
pub(super) mod show;
pub(super) mod skus;

use keyless_model::Scope;
use keyless_model::entity::{Account, Deployment};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::arm::precondition::etag;
use crate::arm::within;
use crate::failure::Failure;

/// The most capacity of one deployment: 100 million tokens per minute.
pub(super) const MAX_CAPACITY: u32 = 100_000;
/// The capacity of a deployment whose writer names none (`az` without `--sku-capacity`).
const DEFAULT_CAPACITY: u32 = 10;

/// The live account above a deployment's scope.
fn account<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a Account, Failure> {
    within::account(snapshot, &scope.parent().ok_or_else(|| Failure::no_such(scope))?)
}

fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a Deployment, Failure> {
    let account = account(snapshot, scope)?;
    snapshot.deployment(&account.scope, scope.name()).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

fn shape(deployment: &Deployment) -> Value {
    // What the gateway enforces. Without a capacity there is no limit.
    let limits = deployment.rate_limits().map_or_else(Vec::new, |limits| {
        vec![
            json!({ "key": "request", "renewalPeriod": limits.call_period_secs, "count": limits.calls }),
            json!({ "key": "token", "renewalPeriod": 60, "count": limits.tokens }),
        ]
    });
    json!({
        "id": deployment.scope,
        "name": deployment.scope.name(),
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "etag": etag(deployment.version),
        "sku": deployment.sku,
        "tags": deployment.tags,
        "systemData": { "createdAt": deployment.created.rfc3339() },
        "properties": {
            "model": deployment.model,
            "versionUpgradeOption": "NoAutoUpgrade",
            "provisioningState": "Succeeded",
            "deploymentState": "Running",
            "currentCapacity": deployment.sku.capacity,
            "rateLimits": limits,
        },
    })
}
