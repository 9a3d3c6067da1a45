//! `/v1.0/applications`

pub(super) mod federated;
mod properties;

use http::Method;
use keyless_model::Timestamp;
use keyless_model::entity::{Application, Entity, FederatedCredential, FederatedOwner, Mutation};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::json;

use self::properties::Properties;
use super::{bad, last, page_of, page_of_one, starts_with, terms, unsupported};
use crate::access::Access::{DirectoryRead, DirectoryWrite};
use crate::answer::Reply;
use crate::arm::page::Page;
use crate::call::OrDefault;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::find::{self, missing};
use crate::graph::shape;
use crate::permitted::{Allowed, Plan};
use crate::route::Route;
use keyless_directory::plan::application;
use keyless_directory::plan::removal;
use keyless_model::name;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "", "/v1.0/applications", DirectoryRead, list),
        Route::new(Method::GET, "", "/v1.0/applications/{id}", DirectoryRead, show),
        Route::new(Method::POST, "", "/v1.0/applications", DirectoryWrite, create),
        Route::new(Method::PATCH, "", "/v1.0/applications/{id}", DirectoryWrite, update),
        Route::new(Method::DELETE, "", "/v1.0/applications/{id}", DirectoryWrite, delete),
        Route::new(Method::POST, "", "/v1.0/applications/{id}/addPassword", DirectoryWrite, add_password),
        Route::new(Method::POST, "", "/v1.0/applications/{id}/removePassword", DirectoryWrite, remove_password),
    ]
}

fn check_name(name: &str) -> Result<(), Failure> {
    name::display(name, "an application", 256).map_err(|error| bad(error.to_string()))
}

/// The application's federated credential of that name or id.
fn federated<'a>(snapshot: &'a Snapshot, application: &Application, named: &str) -> Result<&'a FederatedCredential, Failure> {
    let owner = FederatedOwner::Application(application.id);
    let found =
        snapshot.federated_of(&owner).find(|row| row.name.eq_ignore_ascii_case(named) || row.id.to_string().eq_ignore_ascii_case(named));
    found.map(AsRef::as_ref).ok_or_else(|| missing(named))
}

/// `GET /v1.0/applications[?$filter=appId eq 'X' | displayName eq 'N' | startswith(displayName,'N') | identifierUris/any(…)]`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let wanted = match terms(&call)?.as_slice() {
        [] => None,
        // By name: one look-up.
        [Term::Equals(name, value)] if name == "appId" => {
            let found = value.parse().ok().and_then(|id| snapshot.application_of(id)).filter(|row| row.tenant == call.tenant());
            return page_of_one(&call, found, |row| shape::application(row));
        }
        [term @ (Term::Equals(name, _) | Term::StartsWith(name, _))] if name == "displayName" => Some(term.clone()),
        [term @ Term::AnyEquals(name, _)] if name == "identifierUris" => Some(term.clone()),
        _ => return Err(unsupported(&call)),
    };
    let page = Page::asked(&call)?;
    let own = snapshot.applications_after(last(&page)?).map(AsRef::as_ref);
    let own = own.filter(|row: &&Application| row.tenant == call.tenant() && wanted.as_ref().is_none_or(|term| matches(term, row)));
    page_of(&call, &page, own.map(|row| (row.id.to_string(), row)), |row| shape::application(row))
}

fn matches(term: &Term, row: &Application) -> bool {
    match term {
        Term::Equals(_, value) => row.display_name.eq_ignore_ascii_case(value),
        Term::StartsWith(_, value) => starts_with(&row.display_name, value),
        Term::AnyEquals(_, value) => row.identifier_uris.contains(value),
        _ => false,
    }
}

/// `GET /v1.0/applications/{object id}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    Ok(Reply::ok(shape::application(find::application(&call, &call.snapshot, call.param("id"))?)))
}

/// `POST /v1.0/applications`. Its ids are ours to choose (case 128); its secrets are made by `addPassword` only.
async fn create(call: Allowed<Properties>) -> Result<Reply, Failure> {
    let properties = &call.body;
    let name = properties.display_name().ok_or_else(|| bad("The property 'displayName' of an application is missing."))?;
    let means = call.means();
    let (_, row) = call
        .commit(|snapshot| {
            let new = application::application(call.tenant(), name, means).entity;
            let row = properties.applied_to(&new, snapshot, means, &call.control.config.federation_audiences)?;
            Ok((Plan::new(vec![Mutation::put(row.clone())], None, Some(shape::application(&row))), row))
        })
        .await?;
    Ok(Reply::created(shape::application(&row)))
}

/// `PATCH /v1.0/applications/{object id}`. Ids cannot be changed, and passwords only by `addPassword` and `removePassword`.
async fn update(call: Allowed<Properties>) -> Result<Reply, Failure> {
    let properties = &call.body;
    call.commit(|snapshot| {
        let row = find::application(&call, snapshot, call.param("id"))?;
        let next = properties.applied_to(row, snapshot, call.means(), &call.control.config.federation_audiences)?;
        let (before, after) = (shape::application(row), shape::application(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// `DELETE /v1.0/applications/{object id}`: with its service principal and everything that could sign in as it.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let row = find::application(&call, snapshot, call.param("id"))?;
        let mut mutations = vec![Mutation::Delete(Entity::from(row.clone()).key())];
        mutations.extend(removal::federated(snapshot, &FederatedOwner::Application(row.id)));
        if let Some(principal) = snapshot.service_principal(row.client_id) {
            mutations.extend(removal::principal(snapshot, principal.id));
        }
        Ok((Plan::new(mutations, Some(shape::application(row)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// Lifetime of a secret whose writer names no end: Entra's two years are the most anyone should want; half of that is ours.
const DEFAULT_LIFETIME_SECS: i64 = 365 * 24 * 3600;
/// The longest lifetime, as in Entra's default policy.
const MAX_LIFETIME_SECS: i64 = 2 * 366 * 24 * 3600;
const MOST: usize = 20;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NewPassword {
    password_credential: Wished,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wished {
    display_name: Option<String>,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
}

/// `POST /v1.0/applications/{object id}/addPassword`: the only time a secret is shown.
async fn add_password(call: Allowed<OrDefault<NewPassword>>) -> Result<Reply, Failure> {
    let OrDefault(NewPassword { password_credential: wished }) = &call.body;
    let now = call.ctx.now;
    let time = |text: &Option<String>, otherwise: Timestamp| match text {
        None => Ok(otherwise),
        Some(text) => Timestamp::parse_rfc3339(text).ok_or_else(|| bad("A date of the credential is no RFC 3339 time.")),
    };
    let starts = time(&wished.start_date_time, now)?;
    let expires = time(&wished.end_date_time, starts.plus_secs(DEFAULT_LIFETIME_SECS))?;
    if expires <= starts || expires <= now || expires.millis_since(now) > MAX_LIFETIME_SECS * 1000 {
        return Err(bad("The credential must end after it starts, and within two years."));
    }
    let name = wished.display_name.as_ref().map(|name| name.chars().filter(|c| !c.is_control()).take(256).collect::<String>());
    let (kept, text) = application::secret(name, starts, expires, call.means());
    call.commit(|snapshot| {
        let row = find::application(&call, snapshot, call.param("id"))?;
        if row.secrets.len() >= MOST {
            return Err(bad(format!("An application has at most {MOST} passwords; remove one first.")));
        }
        let mut next: Application = row.clone();
        next.secrets.push(kept.clone());
        let (before, after) = (shape::application(row), shape::application(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)), ()))
    })
    .await?;
    Ok(Reply::ok(json!({
        "keyId": kept.id,
        "displayName": kept.display_name,
        "hint": kept.hint,
        "startDateTime": kept.starts.rfc3339(),
        "endDateTime": kept.expires.rfc3339(),
        "customKeyIdentifier": null,
        "secretText": text.expose(),
    })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldPassword {
    key_id: String,
}

/// `POST /v1.0/applications/{object id}/removePassword`
async fn remove_password(call: Allowed<OldPassword>) -> Result<Reply, Failure> {
    let body = &call.body;
    call.commit(|snapshot| {
        let row = find::application(&call, snapshot, call.param("id"))?;
        let mut next: Application = row.clone();
        next.secrets.retain(|secret| !secret.id.to_string().eq_ignore_ascii_case(&body.key_id));
        if next.secrets.len() == row.secrets.len() {
            return Err(bad("No password credential found with the given keyId."));
        }
        let (before, after) = (shape::application(row), shape::application(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
