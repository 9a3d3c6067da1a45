//! `GET …/locations/{location}/models`: the configured models, and those already deployed by name.

use keyless_model::entity::{Account, DeploymentModel};
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let accounts = call.snapshot.accounts_below(&call.scope).map(AsRef::as_ref).filter(|account| account.deleted.is_none());
    let offered = offered(call, accounts);
    let value: Vec<Value> = offered.iter().map(|row| json!({ "model": model(row), "kind": "OpenAI", "skuName": "S0" })).collect();
    Ok(Reply::ok(json!({ "value": value })))
}

/// The configured models and those that the accounts' deployments name, each once.
pub(in crate::routes) fn offered<'a>(call: &Call, accounts: impl Iterator<Item = &'a Account>) -> Vec<DeploymentModel> {
    let deployed = accounts.flat_map(|account| call.snapshot.deployments_of(&account.scope)).map(|row| row.model.clone());
    let mut models: Vec<DeploymentModel> = call.control.config.models.iter().cloned().chain(deployed).collect();
    models.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    models.dedup();
    models
}

pub(in crate::routes) fn model(model: &DeploymentModel) -> Value {
    json!({
        "format": model.format,
        "name": model.name,
        "version": model.version,
        "isDefaultVersion": true,
        "lifecycleStatus": "GenerallyAvailable",
        "maxCapacity": super::super::deployments::MAX_CAPACITY,
        "skus": [{ "name": "Standard", "usageName": format!("OpenAI.Standard.{}", model.name) }],
    })
}
