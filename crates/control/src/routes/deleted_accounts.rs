//! `…/deletedAccounts`: accounts that can be recovered or purged.

use http::Method;
use keyless_model::Scope;
use keyless_model::entity::Account;
use keyless_store::Snapshot;
use serde_json::Value;

use crate::access::Access::{Action, List};
use crate::answer::Reply;
use crate::arm::page::{Listing, Page, Row};
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::route::{Route, SUBSCRIPTION};
use crate::routes::accounts;
use keyless_directory::plan::removal;

const DELETE: &str = "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/delete";
const NAMED: &str = "/providers/Microsoft.CognitiveServices/locations/{location}/resourceGroups/{group}/deletedAccounts/{account}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::list(
            SUBSCRIPTION,
            "/providers/Microsoft.CognitiveServices/deletedAccounts",
            List("Microsoft.CognitiveServices/deletedAccounts/read"),
            list,
        ),
        Route::new(
            Method::GET,
            SUBSCRIPTION,
            NAMED,
            Action("Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/read"),
            show,
        ),
        Route::new(Method::DELETE, SUBSCRIPTION, NAMED, Action(DELETE), purge),
    ]
}

/// The soft-deleted account that the path names.
fn find<'a>(call: &Call, snapshot: &'a Snapshot) -> Result<&'a Account, Failure> {
    let (group, name) = (call.param("group"), call.param("account"));
    let missing =
        || Failure::new(Code::ResourceNotFound, format!("The deleted account '{name}' of resource group '{group}' was not found."));
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

/// `GET …/deletedAccounts`
async fn list(call: Listing) -> Result<Reply, Failure> {
    let page = Page::asked(&call)?;
    let rows = call.snapshot.accounts_below(page.below(&call)).filter(|account| account.deleted.is_some());
    let rows = rows.map(|account| Row::of(&account.scope, account));
    page.of(&call, rows, |account| shape(&call, &call.snapshot, account))
}

/// `GET …/deletedAccounts/{name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    Ok(Reply::ok(shape(&call, &call.snapshot, find(&call, &call.snapshot)?)))
}

/// `DELETE …/deletedAccounts/{name}`: gone for good, with its keys and deployments.
async fn purge(call: Allowed) -> Result<Reply, Failure> {
    if find(&call, &call.snapshot).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let account = find(&call, snapshot)?;
        Ok((Plan::new(removal::purge(snapshot, account), Some(shape(&call, snapshot, account)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
