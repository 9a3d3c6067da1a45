//! `GET …/accounts/{name}/skus`

use serde_json::json;

use crate::answer::Reply;
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let account = within::account(&call.snapshot, &call.scope)?;
    let sku = json!({ "resourceType": "Microsoft.CognitiveServices/accounts", "sku": { "name": account.sku.name, "tier": "Standard" } });
    Ok(Reply::ok(json!({ "value": [sku] })))
}
