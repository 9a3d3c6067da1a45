//! `GET /subscriptions/{id}/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics`: how many assignments there may still be.

use serde_json::json;

use super::PER_SUBSCRIPTION;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let count = call.snapshot.policy().count_at_and_below(&call.scope);
    Ok(Reply::ok(json!({
        "subscriptionId": call.scope.subscription_id(),
        "roleAssignmentsLimit": PER_SUBSCRIPTION,
        "roleAssignmentsCurrentCount": count,
        "roleAssignmentsRemainingCount": PER_SUBSCRIPTION.saturating_sub(count),
    })))
}
