//! SKUs of accounts, and whether a SKU or an endpoint name can be had.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::arm::within;
use crate::failure::Failure;
use crate::permitted::Allowed;
use crate::route::{Route, SUBSCRIPTION};
use crate::routes::accounts::ACCOUNT;
use crate::routes::accounts::body::{known_kind, sku_name};
use keyless_model::name;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            SUBSCRIPTION,
            "/providers/Microsoft.CognitiveServices/skus",
            Action("Microsoft.CognitiveServices/skus/read"),
            list,
        ),
        Route::new(Method::GET, ACCOUNT, "/skus", Action("Microsoft.CognitiveServices/accounts/skus/read"), of_account),
        Route::new(
            Method::POST,
            SUBSCRIPTION,
            "/providers/Microsoft.CognitiveServices/locations/{location}/checkSkuAvailability",
            Action("Microsoft.CognitiveServices/locations/checkSkuAvailability/action"),
            check_sku,
        ),
        Route::new(
            Method::POST,
            SUBSCRIPTION,
            "/providers/Microsoft.CognitiveServices/checkDomainAvailability",
            Action("Microsoft.CognitiveServices/checkDomainAvailability/action"),
            check_domain,
        ),
    ]
}

/// `GET …/skus`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let location = &call.control.config.location;
    let sku = |kind: &str| json!({ "resourceType": "accounts", "name": "S0", "tier": "Standard", "kind": kind, "locations": [location], "restrictions": [] });
    let value: Vec<Value> = ["OpenAI", "AIServices"].into_iter().map(sku).collect();
    Ok(Reply::ok(json!({ "value": value })))
}

/// `GET …/accounts/{name}/skus`
async fn of_account(call: Allowed) -> Result<Reply, Failure> {
    let account = within::account(&call.snapshot, &call.scope)?;
    let sku = json!({ "resourceType": "Microsoft.CognitiveServices/accounts", "sku": { "name": account.sku.name, "tier": "Standard" } });
    Ok(Reply::ok(json!({ "value": [sku] })))
}

#[derive(Deserialize)]
struct SkuBody {
    skus: Vec<String>,
    kind: String,
    #[serde(rename = "type")]
    resource_type: String,
}

/// `POST …/locations/{location}/checkSkuAvailability`
async fn check_sku(call: Allowed<SkuBody>) -> Result<Reply, Failure> {
    let body = &call.body;
    let accounts = body.resource_type.rsplit('/').next().is_some_and(|kind| kind.eq_ignore_ascii_case("accounts"));
    let rows = body.skus.iter().map(|sku| {
        let reason = match (known_kind(&body.kind), sku_name(sku)) {
            _ if !accounts => Some("Only accounts have SKUs.".to_owned()),
            (Err(failure), _) | (_, Err(failure)) => Some(failure.message),
            _ => None,
        };
        let code = reason.as_ref().map(|_| "NotAvailableForSubscription");
        json!({ "kind": body.kind, "type": body.resource_type, "skuName": sku, "skuAvailable": reason.is_none(), "reason": code, "message": reason })
    });
    Ok(Reply::ok(json!({ "value": rows.collect::<Vec<Value>>() })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DomainBody {
    subdomain_name: String,
}

/// `POST …/checkDomainAvailability`
async fn check_domain(call: Allowed<DomainBody>) -> Result<Reply, Failure> {
    let body = &call.body;
    let wished = body.subdomain_name.to_ascii_lowercase();
    let reason = match name::custom_subdomain(&wished) {
        Err(error) => Some(error.to_string()),
        Ok(()) => call.snapshot.account_at(&wished).map(|_| "The subdomain name is already used by a resource.".to_owned()),
    };
    Ok(Reply::ok(
        json!({ "isSubdomainAvailable": reason.is_none(), "reason": reason, "subdomainName": wished, "type": "Microsoft.CognitiveServices/accounts" }),
    ))
}
