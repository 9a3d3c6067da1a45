//! `/v1.0/servicePrincipals`

use http::Method;
use keyless_model::entity::{Mutation, Principal, PrincipalKind};
use serde::Deserialize;

use super::{bad, last, page_of, page_of_one, starts_with, terms, unsupported};
use crate::access::Access::{DirectoryRead, DirectoryWrite};
use crate::answer::Reply;
use crate::arm::page::Page;
use crate::failure::{Code, Failure};
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::permitted::{Allowed, Plan};
use crate::route::Route;
use keyless_directory::plan::application;
use keyless_directory::plan::removal;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "", "/v1.0/servicePrincipals", DirectoryRead, list),
        Route::new(Method::GET, "", "/v1.0/servicePrincipals/{id}", DirectoryRead, show),
        Route::new(Method::POST, "", "/v1.0/servicePrincipals", DirectoryWrite, create),
        Route::new(Method::PATCH, "", "/v1.0/servicePrincipals/{id}", DirectoryWrite, update),
        Route::new(Method::DELETE, "", "/v1.0/servicePrincipals/{id}", DirectoryWrite, delete),
    ]
}

/// `GET /v1.0/servicePrincipals[?$filter=…]`, with the forms that `az` sends.
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let show = |row: &&Principal| shape::service_principal(snapshot, row);
    let wanted = match terms(&call)?.as_slice() {
        // By name: one look-up.
        [Term::AnyEquals(names, value)] if names == "servicePrincipalNames" => {
            let by_uri = || {
                let application = snapshot.applications().find(|row| row.tenant == call.tenant() && row.identifier_uris.contains(value))?;
                snapshot.service_principal(application.client_id).map(AsRef::as_ref)
            };
            return page_of_one(&call, find::service_principal_of(&call, snapshot, value).or_else(by_uri), show);
        }
        [Term::Equals(name, value)] if name == "appId" => {
            return page_of_one(&call, find::service_principal_of(&call, snapshot, value), show);
        }
        [] => Wanted::All,
        [Term::Equals(name, value)] if name == "displayName" => Wanted::Named(value.clone()),
        [Term::StartsWith(name, value)] if name == "displayName" => Wanted::Starting(value.clone()),
        _ => return Err(unsupported(&call)),
    };
    let page = Page::asked(&call)?;
    let own = snapshot.principals_after(last(&page)?).map(AsRef::as_ref);
    let own = own.filter(|row: &&Principal| row.tenant == call.tenant() && find::is_service_principal(row));
    page_of(&call, &page, own.filter(|row| wanted.matches(&row.display_name)).map(|row| (row.id.to_string(), row)), show)
}

enum Wanted {
    All,
    Named(String),
    Starting(String),
}

impl Wanted {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(wanted) => name.eq_ignore_ascii_case(wanted),
            Self::Starting(wanted) => starts_with(name, wanted),
        }
    }
}

/// `GET /v1.0/servicePrincipals/{object id}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let row = find::service_principal(&call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::service_principal(&call.snapshot, row)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewServicePrincipal {
    app_id: String,
    #[serde(default = "enabled")]
    account_enabled: bool,
}

const fn enabled() -> bool {
    true
}

/// `POST /v1.0/servicePrincipals`: the principal of an application of this tenant.
async fn create(call: Allowed<NewServicePrincipal>) -> Result<Reply, Failure> {
    let body = &call.body;
    let (snapshot, row) = call
        .commit(|snapshot| {
            let application = body.app_id.parse().ok().and_then(|id| snapshot.application_of(id)).filter(|row| row.tenant == call.tenant());
            let Some(application) = application else {
                return Err(bad(format!(
                    "The appId '{}' of the service principal does not reference a valid application object.",
                    clean(&body.app_id)
                )));
            };
            if snapshot.service_principal(application.client_id).is_some() {
                let message = format!(
                    "The service principal cannot be created because the service principal name {} is already in use.",
                    application.client_id
                );
                return Err(Failure::new(Code::Request_MultipleObjectsWithSameKeyValue, message));
            }
            let mut planned = application::service_principal(application, call.means());
            planned.entity.enabled = body.account_enabled;
            let row = planned.entity;
            let mutations = vec![keyless_model::entity::Mutation::put(row.clone())];
            Ok((Plan::new(mutations, None, Some(shape::service_principal(snapshot, &row))), row))
        })
        .await?;
    Ok(Reply::created(shape::service_principal(&snapshot, &row)))
}

fn clean(text: &str) -> String {
    text.chars().take(60).filter(|c| !c.is_control()).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    account_enabled: Option<bool>,
}

/// `PATCH /v1.0/servicePrincipals/{object id}`: enable or disable. A disabled principal's tokens stop working at once.
async fn update(call: Allowed<Change>) -> Result<Reply, Failure> {
    let body = &call.body;
    call.commit(|snapshot| {
        let row = find::service_principal(&call, snapshot, call.param("id"))?;
        let next = Principal { enabled: body.account_enabled.unwrap_or(row.enabled), ..row.clone() };
        let (before, after) = (shape::service_principal(snapshot, row), shape::service_principal(snapshot, &next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// `DELETE /v1.0/servicePrincipals/{object id}`. That of a managed identity goes with the identity only: a principal that vanished
/// under its identity would leave something that looks alive and is not.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let row = find::service_principal(&call, snapshot, call.param("id"))?;
        if row.kind == PrincipalKind::ManagedIdentity {
            return Err(bad("The service principal of a managed identity cannot be deleted; delete the identity or its resource."));
        }
        Ok((Plan::new(removal::principal(snapshot, row.id), Some(shape::service_principal(snapshot, row)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
