//! Objects of the directory as Graph shows them (`az-contract` section 9). Secrets are never part of one.

use crate::federation;
use keyless_model::Scope;
use keyless_model::entity::{Application, AssertionAlgorithm, FederatedCredential, Group, IdentityKind, Principal, PrincipalKind, User};
use keyless_store::Snapshot;
use serde_json::{Value, json};

/// Any object, with the `@odata.type` that `az role assignment create` needs to tell the kinds apart.
pub(crate) fn object(snapshot: &Snapshot, row: &Principal) -> Value {
    let (kind, mut body) = match row.kind {
        PrincipalKind::ManagedIdentity | PrincipalKind::ServicePrincipal => ("servicePrincipal", service_principal(snapshot, row)),
        PrincipalKind::User => ("user", snapshot.user(row.id).map_or_else(|| guest(row), |found| user(row, found))),
        PrincipalKind::Group => ("group", snapshot.group(row.id).map_or(Value::Null, |found| group(row, found))),
    };
    if let Some(body) = body.as_object_mut() {
        body.insert("@odata.type".to_owned(), format!("#microsoft.graph.{kind}").into());
    }
    body
}

pub(crate) fn service_principal(snapshot: &Snapshot, row: &Principal) -> Value {
    let identity = row.client_id.and_then(|client| snapshot.identity(client));
    let application = row.client_id.and_then(|client| snapshot.application_of(client));
    let alternative: Vec<String> = match identity.map(|identity| (&identity.identity_kind, &identity.scope)) {
        Some((IdentityKind::UserAssigned, scope)) => vec!["isExplicit=True".to_owned(), scope.to_string()],
        Some((IdentityKind::SystemAssigned { .. }, scope)) => vec!["isExplicit=False".to_owned(), Scope::to_string(scope)],
        None => Vec::new(),
    };
    let uris = application.map(|row| row.identifier_uris.clone()).unwrap_or_default();
    // `az role assignment list` shows the first name, and every principal must have one.
    let first = row.client_id.map_or_else(|| row.id.to_string(), |client| client.to_string());
    let names: Vec<String> = std::iter::once(first).chain(uris).collect();
    json!({
        "id": row.id,
        "appId": row.client_id,
        "appDisplayName": application.map(|row| row.display_name.clone()),
        "displayName": row.display_name,
        "accountEnabled": row.enabled,
        "servicePrincipalType": match row.kind {
            PrincipalKind::ManagedIdentity => "ManagedIdentity",
            _ => "Application",
        },
        "servicePrincipalNames": names,
        "alternativeNames": alternative,
        "appOwnerOrganizationId": row.token_tenant(),
        "createdDateTime": row.created.rfc3339(),
        "passwordCredentials": [],
        "keyCredentials": [],
        "tags": [],
    })
}

pub(crate) fn application(row: &Application) -> Value {
    let passwords: Vec<Value> = row
        .secrets
        .iter()
        .map(|secret| {
            json!({
                "keyId": secret.id,
                "displayName": secret.display_name,
                "hint": secret.hint,
                "startDateTime": secret.starts.rfc3339(),
                "endDateTime": secret.expires.rfc3339(),
                "secretText": Value::Null,
                "customKeyIdentifier": Value::Null,
            })
        })
        .collect();
    let keys: Vec<Value> = row
        .certificates
        .iter()
        .map(|certificate| {
            let mut shape = json!({
                "keyId": certificate.id,
                "displayName": certificate.display_name,
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
                "customKeyIdentifier": certificate.sha1.to_ascii_uppercase(),
                "startDateTime": certificate.starts.rfc3339(),
                "endDateTime": certificate.expires.rfc3339(),
            });
            if certificate.algorithms != AssertionAlgorithm::of_certificates() {
                shape["signingAlgorithms"] = json!(certificate.algorithms);
            }
            shape
        })
        .collect();
    json!({
        "id": row.id,
        "appId": row.client_id,
        "displayName": row.display_name,
        "identifierUris": row.identifier_uris,
        "signInAudience": "AzureADMyOrg",
        "createdDateTime": row.created.rfc3339(),
        "passwordCredentials": passwords,
        "keyCredentials": keys,
        "requiredResourceAccess": [],
        "isFallbackPublicClient": row.public_client,
        "publicClient": { "redirectUris": row.public_redirect_uris },
        "spa": { "redirectUris": row.spa_redirect_uris },
        "web": { "redirectUris": web_redirect_uris(row).collect::<Vec<_>>() },
    })
}

/// The addresses of the application's servers.
pub(crate) fn web_redirect_uris(row: &Application) -> impl Iterator<Item = &String> {
    row.redirect_uris.iter().filter(|uri| !row.public_redirect_uris.contains(uri) && !row.spa_redirect_uris.contains(uri))
}

pub(crate) fn user(principal: &Principal, row: &User) -> Value {
    json!({
        "id": row.id,
        "userPrincipalName": row.user_principal_name,
        "displayName": principal.display_name,
        "mailNickname": row.mail_nickname,
        "accountEnabled": principal.enabled,
        "mail": Value::Null,
        "givenName": Value::Null,
        "surname": Value::Null,
        "jobTitle": Value::Null,
        "businessPhones": [],
        "mobilePhone": Value::Null,
        "officeLocation": Value::Null,
        "preferredLanguage": Value::Null,
    })
}

/// A person of another tenant, of whom this directory knows no more than the name.
fn guest(row: &Principal) -> Value {
    json!({
        "id": row.id,
        "displayName": row.display_name,
        "userPrincipalName": row.id,
        "userType": "Guest",
        "accountEnabled": row.enabled,
    })
}

pub(crate) fn group(principal: &Principal, row: &Group) -> Value {
    json!({
        "id": row.id,
        "displayName": principal.display_name,
        "description": row.description,
        "mailNickname": row.mail_nickname,
        "mailEnabled": false,
        "securityEnabled": true,
        "groupTypes": [],
        "createdDateTime": principal.created.rfc3339(),
    })
}

pub(crate) fn federated(row: &FederatedCredential) -> Value {
    let mut shape = json!({
        "id": row.id,
        "name": row.name,
        "issuer": row.issuer,
        "subject": Value::Null,
        "audiences": [row.audience],
        "description": row.description,
    });
    federation::show(row, &mut shape);
    shape
}
