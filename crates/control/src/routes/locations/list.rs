//! `GET /subscriptions/{id}/locations`: the configured location and a few names that Azure's examples use.

use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::subscriptions;

const AZURE: &[(&str, &str)] = &[
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("westeurope", "West Europe"),
    ("northeurope", "North Europe"),
    ("swedencentral", "Sweden Central"),
];

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    subscriptions::require_sight(call)?;
    let own = call.control.config.location.as_str();
    let names = std::iter::once((own, own)).chain(AZURE.iter().copied().filter(|(name, _)| *name != own));
    let value: Vec<Value> = names
        .map(|(name, display)| {
            json!({
                "id": format!("{}/locations/{name}", call.scope),
                "name": name,
                "type": "Region",
                "displayName": display,
                "regionalDisplayName": display,
                "metadata": { "regionType": "Physical", "regionCategory": "Recommended" },
            })
        })
        .collect();
    Ok(Reply::ok(json!({ "value": value })))
}
