//! `…/deletedAccounts`: accounts that can be recovered or purged.

pub(super) mod list;
pub(super) mod purge;
pub(super) mod show;

use keyless_model::Scope;
use keyless_model::entity::Account;
use keyless_store::Snapshot;
use serde_json::Value;

use super::accounts;
use crate::call::Call;
use crate::failure::Failure;

/// The soft-deleted account that the path names.
fn find<'a>(call: &Call, snapshot: &'a Snapshot) -> Result<&'a Account, Failure> {
    let (group, name) = (call.param("group"), call.param("account"));
    let missing =
        || Failure::not_found("ResourceNotFound", format!("The deleted account '{name}' of resource group '{group}' was not found."));
    let scope: Scope =
        call.scope.join(&format!("resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{name}")).map_err(|_| missing())?;
    snapshot.account(&scope).map(AsRef::as_ref).filter(|account| account.deleted.is_some()).ok_or_else(missing)
}

fn shape(call: &Call, snapshot: &Snapshot, account: &Account) -> Value {
    let mut body = accounts::shape(call, snapshot, account);
    let subscription = account.scope.subscription_id().map(Scope::subscription).unwrap_or_else(Scope::root);
    body["id"] = format!(
        "{subscription}/providers/Microsoft.CognitiveServices/locations/{}/resourceGroups/{}/deletedAccounts/{}",
        account.location,
        account.scope.resource_group().unwrap_or_default(),
        account.scope.name()
    )
    .into();
    body["type"] = "Microsoft.CognitiveServices/deletedAccounts".into();
    body
}
