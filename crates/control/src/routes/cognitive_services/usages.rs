//! `GET …/locations/{location}/usages`: the capacity that the subscription's deployments take there, per SKU and model, and the
//! quota that holds them.

use std::collections::BTreeMap;

use keyless_model::Scope;
use keyless_model::entity::{Account, Deployment};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use super::models::offered;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::locations;

/// What a quota is counted by: SKU and model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::routes) struct Usage {
    sku: String,
    model: String,
}

impl Usage {
    pub(in crate::routes) fn of(deployment: &Deployment) -> Self {
        Self { sku: deployment.sku.name.clone(), model: deployment.model.name.clone() }
    }

    fn name(&self) -> String {
        format!("OpenAI.{}.{}", self.sku, self.model)
    }

    pub(in crate::routes) fn title(&self) -> String {
        format!("Tokens Per Minute (thousands) - {}", self.name())
    }
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let location = locations::normal(call.param("location"))?;
    let there = |account: &&Account| account.deleted.is_none() && account.location == location;
    let accounts: Vec<&Account> = call.snapshot.accounts_below(&call.scope).map(AsRef::as_ref).filter(there).collect();
    let mut taken = count(&call.snapshot, accounts.iter().copied());
    // What could be deployed and is not yet has its whole quota left.
    for model in offered(call, accounts.into_iter()) {
        taken.entry(Usage { sku: "Standard".to_owned(), model: model.name }).or_default();
    }
    Ok(Reply::ok(json!({ "value": shown(call, taken) })))
}

/// The capacity taken where the account is: by its subscription's accounts in its location.
pub(in crate::routes) fn taken(snapshot: &Snapshot, account: &Account) -> BTreeMap<Usage, u64> {
    let subscription = account.scope.subscription_id().map_or_else(Scope::root, Scope::subscription);
    let there = |row: &&Account| row.deleted.is_none() && row.location == account.location;
    count(snapshot, snapshot.accounts_below(&subscription).map(AsRef::as_ref).filter(there))
}

/// The capacity that these accounts' deployments take. One without a capacity is unlimited and takes nothing.
pub(in crate::routes) fn count<'a>(snapshot: &Snapshot, accounts: impl Iterator<Item = &'a Account>) -> BTreeMap<Usage, u64> {
    let mut taken: BTreeMap<Usage, u64> = BTreeMap::new();
    for row in accounts.flat_map(|account| snapshot.deployments_of(&account.scope)) {
        *taken.entry(Usage::of(row)).or_default() += u64::from(row.sku.capacity.unwrap_or_default());
    }
    taken
}

pub(in crate::routes) fn shown(call: &Call, taken: BTreeMap<Usage, u64>) -> Vec<Value> {
    let row = |(usage, value): (Usage, u64)| {
        json!({
            "name": { "value": usage.name(), "localizedValue": usage.title() },
            "currentValue": value,
            "limit": call.control.config.quota,
            "unit": "Count",
        })
    };
    taken.into_iter().map(row).collect()
}
