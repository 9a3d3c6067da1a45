//! `GET …/deployments/{name}/skus`

use serde_json::json;

use super::{MAX_CAPACITY, find};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let deployment = find(&call.snapshot, &call.scope)?;
    let sku = json!({
        "resourceType": "Microsoft.CognitiveServices/accounts/deployments",
        "sku": { "name": deployment.sku.name },
        "capacity": { "minimum": 1, "maximum": MAX_CAPACITY, "default": super::DEFAULT_CAPACITY, "scaleType": "Manual" },
    });
    Ok(Reply::ok(json!({ "value": [sku] })))
}
