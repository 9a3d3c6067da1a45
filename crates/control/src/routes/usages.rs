//! Quotas: the capacity that deployments take, per SKU and model, and what holds them.

use std::collections::BTreeMap;

use http::Method;
use keyless_model::Scope;
use keyless_model::entity::{Account, Deployment};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;
use crate::permitted::Allowed;
use crate::route::{Route, SUBSCRIPTION};
use crate::routes::accounts::ACCOUNT;
use crate::routes::locations;
use crate::routes::models::offered;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            SUBSCRIPTION,
            "/providers/Microsoft.CognitiveServices/locations/{location}/usages",
            Action("Microsoft.CognitiveServices/locations/usages/read"),
            list,
        ),
        Route::new(Method::GET, ACCOUNT, "/usages", Action("Microsoft.CognitiveServices/accounts/usages/read"), of_account),
    ]
}

/// What a quota is counted by: SKU and model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Usage {
    sku: String,
    model: String,
}

impl Usage {
    pub(super) fn of(deployment: &Deployment) -> Self {
        Self { sku: deployment.sku.name.clone(), model: deployment.model.name.clone() }
    }

    fn name(&self) -> String {
        format!("OpenAI.{}.{}", self.sku, self.model)
    }

    pub(super) fn title(&self) -> String {
        format!("Tokens Per Minute (thousands) - {}", self.name())
    }
}

/// `GET …/locations/{location}/usages`: the capacity that the subscription's deployments take there, per SKU and model, and the
/// quota that holds them.
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let location = locations::normal(call.param("location"))?;
    let there = |account: &&Account| account.deleted.is_none() && account.location == location;
    let accounts: Vec<&Account> = call.snapshot.accounts_below(&call.scope).map(AsRef::as_ref).filter(there).collect();
    let mut taken = count(&call.snapshot, accounts.iter().copied());
    // What could be deployed and is not yet has its whole quota left.
    for model in offered(&call, accounts.into_iter()) {
        taken.entry(Usage { sku: "Standard".to_owned(), model: model.name }).or_default();
    }
    Ok(Reply::ok(json!({ "value": shown(&call, taken) })))
}

/// The capacity taken where the account is: by its subscription's accounts in its location.
pub(super) fn taken(snapshot: &Snapshot, account: &Account) -> BTreeMap<Usage, u64> {
    let subscription = account.scope.subscription_id().map_or_else(Scope::root, Scope::subscription);
    let there = |row: &&Account| row.deleted.is_none() && row.location == account.location;
    count(snapshot, snapshot.accounts_below(&subscription).map(AsRef::as_ref).filter(there))
}

/// The capacity that these accounts' deployments take. One without a capacity is unlimited and takes nothing.
pub(super) fn count<'a>(snapshot: &Snapshot, accounts: impl Iterator<Item = &'a Account>) -> BTreeMap<Usage, u64> {
    let mut taken: BTreeMap<Usage, u64> = BTreeMap::new();
    for row in accounts.flat_map(|account| snapshot.deployments_of(&account.scope)) {
        *taken.entry(Usage::of(row)).or_default() += u64::from(row.sku.capacity.unwrap_or_default());
    }
    taken
}

pub(super) fn shown(call: &Call, taken: BTreeMap<Usage, u64>) -> Vec<Value> {
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

/// `GET …/accounts/{name}/usages`: the capacity that its deployments take.
async fn of_account(call: Allowed) -> Result<Reply, Failure> {
    let account = within::account(&call.snapshot, &call.scope)?;
    Ok(Reply::ok(json!({ "value": shown(&call, count(&call.snapshot, std::iter::once(account))) })))
}
