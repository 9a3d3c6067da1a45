//! `GET /metadata/endpoints`: where everything is. The one document that needs no token, because it says where to get one.

use keyless_web::Form;
use serde_json::json;

use crate::answer::Reply;
use crate::control::Control;
use crate::failure::{Code, Failure};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::public("/metadata/endpoints", show)]
}

/// The document as `az cloud register` and Terraform read it (api-version 2022-09-01), and as a list for older versions, which is
/// what `ARM_CLOUD_METADATA_URL` takes (`az-contract` sections 1a, 1b).
fn show(control: &Control, query: &str) -> Result<Reply, Failure> {
    let query = Form::parse(query.as_bytes()).map_err(|error| Failure::new(Code::InvalidQueryParameter, error.to_string()))?;
    let endpoints = &control.platform.endpoints;
    let base = format!("{}/", endpoints.control);
    let document = json!({
        "name": control.config.cloud_name,
        "authentication": {
            "loginEndpoint": endpoints.authority,
            "audiences": [base, "https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": base,
        "microsoftGraphResourceId": base,
        "graphAudience": base,
        "graph": base,
        "logAnalyticsResourceId": base,
        "suffixes": {},
    });
    let list = query.field("api-version").is_some_and(|version| version < "2022-09-01");
    Ok(Reply::ok(if list { json!([document]) } else { document }))
}
