//! `GET …/skus`

use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let location = &call.control.config.location;
    let sku = |kind: &str| json!({ "resourceType": "accounts", "name": "S0", "tier": "Standard", "kind": kind, "locations": [location], "restrictions": [] });
    let value: Vec<Value> = ["OpenAI", "AIServices"].into_iter().map(sku).collect();
    Ok(Reply::ok(json!({ "value": value })))
}
