//! `Microsoft.CognitiveServices/accounts`

pub(super) mod body;
mod put;

use http::Method;
use keyless_model::Secret;
use keyless_model::entity::{Account, Mutation, NetworkDefault, PublicNetworkAccess};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::{Action, List};
use crate::answer::Reply;
use crate::arm::page::{Listing, Page, Row};
use crate::arm::precondition::{self, etag};
use crate::arm::{identity, within};
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::route::{RESOURCE_GROUP, Route, SUBSCRIPTION};
use keyless_directory::plan::account;
use keyless_directory::plan::removal;

pub(super) const ACCOUNT: &str =
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}";
const READ: &str = "Microsoft.CognitiveServices/accounts/read";
const WRITE: &str = "Microsoft.CognitiveServices/accounts/write";
const DELETE: &str = "Microsoft.CognitiveServices/accounts/delete";
const ALL: &str = "/providers/Microsoft.CognitiveServices/accounts";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::list(SUBSCRIPTION, ALL, List(READ), list),
        Route::list(RESOURCE_GROUP, ALL, List(READ), list),
        Route::new(Method::GET, ACCOUNT, "", Action(READ), show),
        Route::new(Method::HEAD, ACCOUNT, "", Action(READ), exists),
        Route::new(Method::PUT, ACCOUNT, "", Action(WRITE), put::put),
        Route::new(Method::PATCH, ACCOUNT, "", Action(WRITE), put::patch),
        Route::new(Method::DELETE, ACCOUNT, "", Action(DELETE), delete),
        Route::new(Method::POST, ACCOUNT, "/listKeys", Action("Microsoft.CognitiveServices/accounts/listKeys/action"), list_keys),
        Route::new(
            Method::POST,
            ACCOUNT,
            "/regenerateKey",
            Action("Microsoft.CognitiveServices/accounts/regenerateKey/action"),
            regenerate_key,
        ),
    ]
}

/// The address at which the account answers, with a trailing slash as Azure shows it.
fn endpoint(call: &Call, account: &Account) -> String {
    let endpoints = &call.control.platform.endpoints;
    match &endpoints.wildcard_domain {
        Some(domain) => format!("https://{}.openai.{domain}/", account.custom_subdomain),
        None => format!("{}/ai/{}/", endpoints.gateway, account.custom_subdomain),
    }
}

/// The account as ARM shows it. Holds no key.
pub(super) fn shape(call: &Call, snapshot: &Snapshot, account: &Account) -> Value {
    let endpoint = endpoint(call, account);
    let acls = &account.network_acls;
    let mut body = json!({
        "id": account.scope,
        "name": account.scope.name(),
        "type": "Microsoft.CognitiveServices/accounts",
        "kind": account.account_kind,
        "location": account.location,
        "etag": etag(account.version),
        "sku": { "name": account.sku.name },
        "tags": account.tags,
        "systemData": { "createdAt": account.created.rfc3339() },
        "properties": {
            "provisioningState": "Succeeded",
            "endpoint": endpoint,
            "endpoints": {
                "OpenAI Language Model Instance API": endpoint,
                "OpenAI Model Scaleset API": endpoint,
            },
            "internalId": account.custom_subdomain,
            "dateCreated": account.created.rfc3339(),
            "customSubDomainName": account.custom_subdomain,
            "disableLocalAuth": account.disable_local_auth,
            "publicNetworkAccess": match account.public_network_access {
                PublicNetworkAccess::Enabled => "Enabled",
                PublicNetworkAccess::Disabled => "Disabled",
            },
            "networkAcls": {
                "defaultAction": match acls.default_action {
                    NetworkDefault::Allow => "Allow",
                    NetworkDefault::Deny => "Deny",
                },
                "ipRules": acls.ip_rules,
                "virtualNetworkRules": acls.virtual_network_rules,
            },
            "privateEndpointConnections": [],
            "capabilities": [],
            "callRateLimit": { "rules": [] },
        },
    });
    if let Some(block) = identity::shape(snapshot, &account.identity) {
        body["identity"] = block;
    }
    if let Some(deleted) = account.deleted {
        body["properties"]["deletionDate"] = deleted.rfc3339().into();
    }
    body
}

/// Both keys, as `listKeys` and `regenerateKey` show them. The document is answered and dropped, never stored or logged.
fn key_document(keys: &[Secret<String>; 2]) -> Value {
    let [first, second] = keys;
    json!({ "key1": first.expose(), "key2": second.expose() })
}

/// Keys are shown only while they open something.
fn require_local_auth(account: &Account) -> Result<(), Failure> {
    if account.disable_local_auth {
        // Azure's words first: clients know them. Azure makes accounts with keys on, so its users look for the reason elsewhere.
        let message = format!(
            "Failed to list key. disableLocalAuth is set to be true. Accounts are made without keys here, unlike on Azure; whoever may \
             write the account turns them on with: az resource update --ids {} --set properties.disableLocalAuth=false",
            account.scope
        );
        return Err(Failure::new(Code::BadRequest, message));
    }
    Ok(())
}

/// `GET …/accounts`, of a subscription or a resource group. Soft-deleted ones are listed elsewhere.
async fn list(call: Listing) -> Result<Reply, Failure> {
    let page = Page::asked(&call)?;
    let live = call.snapshot.accounts_below(page.below(&call)).filter(|account| account.deleted.is_none());
    let rows = live.map(|account| Row::of(&account.scope, account));
    page.of(&call, rows, |account| shape(&call, &call.snapshot, account))
}

/// `GET …/accounts/{name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let account = within::account(&call.snapshot, &call.scope)?;
    Ok(Reply::ok(shape(&call, &call.snapshot, account)).etag(&etag(account.version)))
}

/// `HEAD …/accounts/{name}`: 204 or 404.
async fn exists(call: Allowed) -> Result<Reply, Failure> {
    within::account(&call.snapshot, &call.scope)?;
    Ok(Reply::no_content())
}

/// `DELETE …/accounts/{name}`: soft. The account answers nothing from now on, and every grant at it is gone.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    if within::account(&call.snapshot, &call.scope).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let account = within::account(snapshot, &call.scope)?;
        precondition::check(&call.headers, Some(account.version))?;
        Ok((Plan::new(removal::account(snapshot, account, call.ctx.now), Some(shape(&call, snapshot, account)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}

/// `POST …/accounts/{name}/listKeys`. Recorded before it is answered: who has seen a key is a fact worth having.
async fn list_keys(call: Allowed) -> Result<Reply, Failure> {
    let known = within::account(&call.snapshot, &call.scope)?;
    require_local_auth(known)?;
    let keys = account::keys(known, &call.control.platform.sealer)?;
    call.record_done()?;
    Ok(Reply::ok(key_document(&keys)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyName {
    key_name: String,
}

/// `POST …/accounts/{name}/regenerateKey`: the old key is dead in the snapshot that this answer waits for.
async fn regenerate_key(call: Allowed<KeyName>) -> Result<Reply, Failure> {
    let body = &call.body;
    let slot = match body.key_name.to_ascii_lowercase().as_str() {
        "key1" => 1,
        "key2" => 2,
        _ => return Err(Failure::new(Code::InvalidKeyName, "The property 'keyName' must be Key1 or Key2.").at("keyName")),
    };
    let (_, next) = call
        .commit(|snapshot| {
            let current = within::account(snapshot, &call.scope)?;
            require_local_auth(current)?;
            let next = account::regenerate(current, slot, call.means());
            let shown = shape(&call, snapshot, &next);
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(shape(&call, snapshot, current)), Some(shown)), next))
        })
        .await?;
    Ok(Reply::ok(key_document(&account::keys(&next, &call.control.platform.sealer)?)))
}
