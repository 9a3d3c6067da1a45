//! `Microsoft.CognitiveServices/accounts`

pub(super) mod body;
pub(super) mod delete;
pub(super) mod exists;
pub(super) mod list;
pub(super) mod list_keys;
pub(super) mod models;
pub(super) mod patch;
pub(super) mod put;
pub(super) mod regenerate_key;
pub(super) mod show;
pub(super) mod skus;
pub(super) mod usages;

use keyless_model::Secret;
use keyless_model::entity::{Account, NetworkDefault, PublicNetworkAccess};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::arm::identity;
use crate::arm::precondition::etag;
use crate::call::Call;
use crate::failure::Failure;

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
        return Err(Failure::invalid("BadRequest", message));
    }
    Ok(())
}
