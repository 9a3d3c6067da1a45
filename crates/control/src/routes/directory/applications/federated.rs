//! `/v1.0/applications/{object id}/federatedIdentityCredentials`. Microsoft documents claims-matching expressions under `/beta` only;
//! both names are the same here.

use http::Method;
use keyless_model::entity::{Entity, FederatedOwner, Mutation, SubjectMatch};
use serde::Deserialize;

use super::federated;
use crate::access::Access::{DirectoryRead, DirectoryWrite};
use crate::answer::Reply;
use crate::arm::page::Page;
use crate::failure::{Code, Failure};
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::permitted::{Allowed, Plan};

use crate::route::Route;
use crate::routes::directory::{page_of, terms, unsupported};
use keyless_directory::plan::federation::{self, ClaimsMatchingExpression, Wished};

pub(in crate::routes::directory) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "", "/v1.0/applications/{id}/federatedIdentityCredentials", DirectoryRead, list),
        Route::new(Method::GET, "", "/beta/applications/{id}/federatedIdentityCredentials", DirectoryRead, list),
        Route::new(Method::GET, "", "/v1.0/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryRead, show),
        Route::new(Method::GET, "", "/beta/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryRead, show),
        Route::new(Method::POST, "", "/v1.0/applications/{id}/federatedIdentityCredentials", DirectoryWrite, create),
        Route::new(Method::POST, "", "/beta/applications/{id}/federatedIdentityCredentials", DirectoryWrite, create),
        Route::new(Method::PATCH, "", "/v1.0/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryWrite, update),
        Route::new(Method::PATCH, "", "/beta/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryWrite, update),
        Route::new(Method::DELETE, "", "/v1.0/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryWrite, delete),
        Route::new(Method::DELETE, "", "/beta/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryWrite, delete),
    ]
}

/// `GET /v1.0/applications/{object id}/federatedIdentityCredentials`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let owner = FederatedOwner::Application(find::application(&call, &call.snapshot, call.param("id"))?.id);
    let name = match terms(&call)?.as_slice() {
        [] => None,
        [Term::Equals(name, value)] if name == "name" => Some(value.clone()),
        _ => return Err(unsupported(&call)),
    };
    let page = Page::asked(&call)?;
    let rows = call.snapshot.federated_of(&owner).filter(|row| name.as_ref().is_none_or(|name| row.name.eq_ignore_ascii_case(name)));
    // An application has twenty at most.
    let mut rows: Vec<_> = rows.map(|row| (row.id.to_string(), row)).collect();
    rows.retain(|(id, _)| page.after.as_ref().is_none_or(|after| id > after));
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    page_of(&call, &page, rows.into_iter(), |row| shape::federated(row))
}

/// `GET /v1.0/applications/{object id}/federatedIdentityCredentials/{name or id}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let application = find::application(&call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::federated(federated(&call.snapshot, application, call.param("credential"))?)))
}

#[derive(Deserialize)]
struct NewCredential {
    name: String,
    #[serde(flatten)]
    wished: Wished,
}

/// `POST /v1.0/applications/{object id}/federatedIdentityCredentials`
async fn create(call: Allowed<NewCredential>) -> Result<Reply, Failure> {
    let body = &call.body;
    let (_, row) = call
        .commit(|snapshot| {
            let application = find::application(&call, snapshot, call.param("id"))?;
            if federated(snapshot, application, &body.name).is_ok() {
                let message = "FederatedIdentityCredential with the same name already exists.";
                return Err(Failure::new(Code::Request_MultipleObjectsWithSameKeyValue, message));
            }
            let owner = FederatedOwner::Application(application.id);
            let (trusted, means) = (call.control.config.federation_rules(), call.means());
            let row = federation::plan(snapshot, owner, &body.name, &body.wished, trusted, means)?;
            Ok((Plan::new(vec![Mutation::put(row.clone())], None, Some(shape::federated(&row))), row))
        })
        .await?;
    Ok(Reply::created(shape::federated(&row)))
}

/// `PATCH /v1.0/applications/{object id}/federatedIdentityCredentials/{name or id}`
async fn update(call: Allowed<Wished>) -> Result<Reply, Failure> {
    let body = &call.body;
    call.commit(|snapshot| {
        let application = find::application(&call, snapshot, call.param("id"))?;
        let row = federated(snapshot, application, call.param("credential"))?;
        // One kind of subject takes the place of the other.
        let (subject, expression) = match (&body.subject, &body.claims_matching_expression, &row.subject) {
            (None, None, SubjectMatch::Exact(subject)) => (Some(subject.clone()), None),
            (None, None, SubjectMatch::Expression(value)) => (None, Some(ClaimsMatchingExpression::stored(value))),
            (subject, expression, _) => (subject.clone(), expression.clone()),
        };
        let wished = Wished {
            issuer: body.issuer.clone().or_else(|| Some(row.issuer.clone())),
            subject,
            audiences: if body.audiences.is_empty() { vec![row.audience.clone()] } else { body.audiences.clone() },
            description: body.description.clone().or_else(|| row.description.clone()),
            claims_matching_expression: expression,
            signing_algorithms: body.signing_algorithms.clone().or_else(|| Some(row.algorithms.clone())),
        };
        let owner = FederatedOwner::Application(application.id);
        let (trusted, means) = (call.control.config.federation_rules(), call.means());
        let next = federation::plan(snapshot, owner, &row.name, &wished, trusted, means)?;
        let (before, after) = (shape::federated(row), shape::federated(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// `DELETE /v1.0/applications/{object id}/federatedIdentityCredentials/{name or id}`
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let application = find::application(&call, snapshot, call.param("id"))?;
        let row = federated(snapshot, application, call.param("credential"))?;
        Ok((Plan::new(vec![Mutation::Delete(Entity::from(row.clone()).key())], Some(shape::federated(row)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
