//! `GET …/locations/{location}/usages`: the capacity that the subscription's deployments take, per SKU and model.

use std::collections::BTreeMap;

use keyless_model::entity::Account;
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::deployments::MAX_CAPACITY;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let accounts = call.snapshot.accounts_below(&call.scope).map(AsRef::as_ref).filter(|account| account.deleted.is_none());
    Ok(Reply::ok(json!({ "value": usages(&call.snapshot, accounts) })))
}

pub(in crate::routes) fn usages<'a>(snapshot: &Snapshot, accounts: impl Iterator<Item = &'a Account>) -> Vec<Value> {
    let mut taken: BTreeMap<String, u64> = BTreeMap::new();
    for row in accounts.flat_map(|account| snapshot.deployments_of(&account.scope)) {
        let name = format!("OpenAI.{}.{}", row.sku.name, row.model.name);
        *taken.entry(name).or_default() += u64::from(row.sku.capacity.unwrap_or_default());
    }
    let row = |(name, value): (String, u64)| {
        json!({
            "name": { "value": name, "localizedValue": format!("Tokens Per Minute (thousands) - {name}") },
            "currentValue": value,
            "limit": MAX_CAPACITY,
            "unit": "Count",
        })
    };
    taken.into_iter().map(row).collect()
}
