//! `/tenants`

use std::sync::Arc;

use serde_json::json;

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::own("", "/tenants", list)]
}

/// `GET /tenants`: the caller's own tenant.
async fn list(call: Arc<Call>) -> Result<Reply, Failure> {
    let tenant = call.snapshot.tenant(call.tenant()).ok_or_else(Failure::internal)?;
    Ok(Reply::ok(json!({ "value": [{
        "id": format!("/tenants/{}", tenant.id),
        "tenantId": tenant.id,
        "displayName": tenant.display_name,
        "defaultDomain": tenant.domain,
        "domains": [tenant.domain],
        "countryCode": "",
        "tenantCategory": "Home",
        "tenantType": "AAD",
    }] })))
}
