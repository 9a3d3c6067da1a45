//! The models that can be deployed: the configured ones, and those already deployed by name.

use http::Method;
use keyless_model::entity::{Account, DeploymentModel};
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;
use crate::permitted::Allowed;
use crate::route::{Route, SUBSCRIPTION};
use crate::routes::accounts::ACCOUNT;

/// The most capacity of one deployment: 100 million tokens per minute.
pub(super) const MAX_CAPACITY: u32 = 100_000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            SUBSCRIPTION,
            "/providers/Microsoft.CognitiveServices/locations/{location}/models",
            Action("Microsoft.CognitiveServices/locations/models/read"),
            list,
        ),
        Route::new(Method::GET, ACCOUNT, "/models", Action("Microsoft.CognitiveServices/accounts/models/read"), of_account),
    ]
}

/// `GET …/locations/{location}/models`: the configured models, and those already deployed by name.
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let accounts = call.snapshot.accounts_below(&call.scope).map(AsRef::as_ref).filter(|account| account.deleted.is_none());
    let offered = offered(&call, accounts);
    let value: Vec<Value> = offered.iter().map(|row| json!({ "model": model(row), "kind": "OpenAI", "skuName": "S0" })).collect();
    Ok(Reply::ok(json!({ "value": value })))
}

/// The configured models and those that the accounts' deployments name, each once.
pub(super) fn offered<'a>(call: &Call, accounts: impl Iterator<Item = &'a Account>) -> Vec<DeploymentModel> {
    let deployed = accounts.flat_map(|account| call.snapshot.deployments_of(&account.scope)).map(|row| row.model.clone());
    let mut models: Vec<DeploymentModel> = call.control.config.models.iter().cloned().chain(deployed).collect();
    models.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    models.dedup();
    models
}

pub(super) fn model(model: &DeploymentModel) -> Value {
    json!({
        "format": model.format,
        "name": model.name,
        "version": model.version,
        "isDefaultVersion": true,
        "lifecycleStatus": "GenerallyAvailable",
        "maxCapacity": MAX_CAPACITY,
        "skus": [{ "name": "Standard", "usageName": format!("OpenAI.Standard.{}", model.name) }],
    })
}

/// `GET …/accounts/{name}/models`: what can be deployed here.
async fn of_account(call: Allowed) -> Result<Reply, Failure> {
    let account = within::account(&call.snapshot, &call.scope)?;
    let value: Vec<Value> = offered(&call, std::iter::once(account)).iter().map(model).collect();
    Ok(Reply::ok(json!({ "value": value })))
}
