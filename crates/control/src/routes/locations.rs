//! Locations. They are labels here: any name is accepted, and nothing runs elsewhere because of one.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::route::{Route, SUBSCRIPTION};
use crate::routes::subscriptions;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::own(SUBSCRIPTION, "/locations", list)]
}

/// A location in ARM's normal form: lower case, no spaces (`"East US"` is `eastus`).
pub(super) fn normal(text: &str) -> Result<String, Failure> {
    let name: String = text.chars().filter(|c| *c != ' ').collect::<String>().to_ascii_lowercase();
    let valid = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if valid {
        return Ok(name);
    }
    Err(Failure::new(Code::LocationNotAvailableForResourceType, "The location must be 1 to 64 letters, digits and -.").at("location"))
}

/// The location of a request's body, or the parent's, or the configured one.
pub(super) fn wished(call: &Call, location: Option<&str>, parent: Option<&str>) -> Result<String, Failure> {
    normal(location.or(parent).unwrap_or(&call.control.config.location))
}

const AZURE: &[(&str, &str)] = &[
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("westeurope", "West Europe"),
    ("northeurope", "North Europe"),
    ("swedencentral", "Sweden Central"),
];

/// `GET /subscriptions/{id}/locations`: the configured location and a few names that Azure's examples use.
async fn list(call: Arc<Call>) -> Result<Reply, Failure> {
    subscriptions::require_sight(&call)?;
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
