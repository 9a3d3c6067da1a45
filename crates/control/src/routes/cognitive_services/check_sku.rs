//! `POST …/locations/{location}/checkSkuAvailability`

use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::accounts::body::{check_kind, check_sku};

#[derive(Deserialize)]
struct Body {
    skus: Vec<String>,
    kind: String,
    #[serde(rename = "type")]
    resource_type: String,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let accounts = body.resource_type.rsplit('/').next().is_some_and(|kind| kind.eq_ignore_ascii_case("accounts"));
    let rows = body.skus.iter().map(|sku| {
        let reason = match (check_kind(&body.kind), check_sku(sku)) {
            _ if !accounts => Some("Only accounts have SKUs.".to_owned()),
            (Err(failure), _) | (_, Err(failure)) => Some(failure.message),
            _ => None,
        };
        let code = reason.as_ref().map(|_| "NotAvailableForSubscription");
        json!({ "kind": body.kind, "type": body.resource_type, "skuName": sku, "skuAvailable": reason.is_none(), "reason": code, "message": reason })
    });
    Ok(Reply::ok(json!({ "value": rows.collect::<Vec<Value>>() })))
}
