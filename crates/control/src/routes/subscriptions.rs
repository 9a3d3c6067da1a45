//! `/subscriptions`

use std::sync::Arc;

use keyless_model::Scope;
use keyless_model::entity::Subscription;
use keyless_rbac::Attributes;
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::route::{Route, SUBSCRIPTION};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::own("", "/subscriptions", list), Route::own(SUBSCRIPTION, "", show)]
}

const READ: &str = "Microsoft.Resources/subscriptions/read";

/// Whether the caller sees the subscription: it may read it, or was granted anything inside, as on Azure.
pub(super) fn sees(call: &Call, subscription: &Subscription) -> bool {
    let (snapshot, scope) = (&call.snapshot, Scope::subscription(subscription.id));
    if subscription.tenant != call.tenant() {
        return false;
    }
    let policy = snapshot.policy();
    let mut holders = policy.groups_of(call.me());
    holders.push(call.me());
    call.may(snapshot, READ, &scope) || holders.into_iter().flat_map(|id| policy.assignments_of(id)).any(|row| scope.covers(&row.scope))
}

/// Refuses a caller to whom the subscription of the path is nothing. What a path without one shows is the same for everyone.
pub(super) fn require_sight(call: &Call) -> Result<(), Failure> {
    if call.scope == Scope::root() {
        return Ok(());
    }
    let subscription = call.scope.subscription_id().and_then(|id| call.snapshot.subscription(id)).ok_or_else(Failure::internal)?;
    if sees(call, subscription) {
        return Ok(());
    }
    match call.ask(&call.snapshot, READ, &Scope::subscription(subscription.id), Attributes::NONE) {
        Ok(_) => Ok(()),
        Err(denial) => Err(call.unauthorized(*denial)),
    }
}

fn shape(subscription: &Subscription) -> Value {
    json!({
        "id": format!("/subscriptions/{}", subscription.id),
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant,
        "displayName": subscription.display_name,
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": { "locationPlacementId": "Internal_2014-09-01", "quotaId": "Internal_2014-09-01", "spendingLimit": "Off" },
    })
}

/// `GET /subscriptions`: those the caller sees; none is an empty list, not a refusal.
async fn list(call: Arc<Call>) -> Result<Reply, Failure> {
    let seen: Vec<Value> = call.snapshot.subscriptions().filter(|row| sees(&call, row)).map(|row| shape(row)).collect();
    Ok(Reply::ok(json!({ "value": seen, "count": { "type": "Total", "value": seen.len() } })))
}

/// `GET /subscriptions/{id}`
async fn show(call: Arc<Call>) -> Result<Reply, Failure> {
    require_sight(&call)?;
    let subscription = call.scope.subscription_id().and_then(|id| call.snapshot.subscription(id)).ok_or_else(Failure::internal)?;
    Ok(Reply::ok(shape(subscription)))
}
