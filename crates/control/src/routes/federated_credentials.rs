//! `…/userAssignedIdentities/{name}/federatedIdentityCredentials`: trust in one subject of one issuer.

use http::Method;
use keyless_model::Scope;
use keyless_model::entity::{Entity, FederatedCredential, FederatedOwner, Mutation};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};

use crate::route::Route;
use crate::routes::identities::{self, IDENTITY};
use keyless_directory::plan::federation::{self, Wished};

const CREDENTIAL: &str = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}/federatedIdentityCredentials/{credential}";
const READ: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read";
const WRITE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write";
const DELETE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, IDENTITY, "/federatedIdentityCredentials", Action(READ), list),
        Route::new(Method::GET, CREDENTIAL, "", Action(READ), show),
        Route::new(Method::PUT, CREDENTIAL, "", Action(WRITE), put),
        Route::new(Method::DELETE, CREDENTIAL, "", Action(DELETE), delete),
    ]
}

/// The identity that the path names.
fn owner(call: &Call, snapshot: &Snapshot) -> Result<FederatedOwner, Failure> {
    let scope = if call.scope.is_type("Microsoft.ManagedIdentity/userAssignedIdentities") {
        call.scope.clone()
    } else {
        call.scope.parent().ok_or_else(|| Failure::no_such(&call.scope))?
    };
    Ok(FederatedOwner::Identity(identities::find(snapshot, &scope)?.scope.clone()))
}

fn find<'a>(snapshot: &'a Snapshot, owner: &FederatedOwner, name: &str) -> Option<&'a FederatedCredential> {
    snapshot.federated_of(owner).find(|row| row.name.eq_ignore_ascii_case(name)).map(AsRef::as_ref)
}

fn scope_of(credential: &FederatedCredential) -> String {
    match &credential.owner {
        FederatedOwner::Identity(scope) => format!("{scope}/federatedIdentityCredentials/{}", credential.name),
        FederatedOwner::Application(id) => format!("/applications/{id}/federatedIdentityCredentials/{}", credential.name),
    }
}

fn shape(credential: &FederatedCredential) -> Value {
    let mut properties = json!({ "issuer": credential.issuer, "audiences": [credential.audience] });
    crate::federation::show(credential, &mut properties);
    json!({
        "id": scope_of(credential),
        "name": credential.name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "properties": properties,
    })
}

fn missing(scope: &Scope) -> Failure {
    Failure::new(Code::NotFound, format!("The resource '{scope}' was not found."))
}

/// `GET …/federatedIdentityCredentials`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let owner = owner(&call, &call.snapshot)?;
    let rows = call.snapshot.federated_of(&owner).map(|row| Row { key: scope_of(row), scope: call.scope.clone(), item: row });
    let page = Page::asked(&call)?;
    page.of_seen(&call, page.sorted(rows), |row| shape(row))
}

/// `GET …/federatedIdentityCredentials/{name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let owner = owner(&call, &call.snapshot)?;
    Ok(Reply::ok(shape(find(&call.snapshot, &owner, call.scope.name()).ok_or_else(|| missing(&call.scope))?)))
}

#[derive(Deserialize)]
struct Body {
    properties: Wished,
}

/// `PUT …/federatedIdentityCredentials/{name}`
async fn put(call: Allowed<Body>) -> Result<Reply, Failure> {
    let body = &call.body;
    let (_, (new, credential)) = call
        .commit(|snapshot| {
            let owner = owner(&call, snapshot)?;
            let current = find(snapshot, &owner, call.scope.name());
            let means = call.means();
            let trusted = call.control.config.federation_rules();
            let next = federation::plan(snapshot, owner.clone(), call.scope.name(), &body.properties, trusted, means)?;
            Ok((Plan::new(vec![Mutation::put(next.clone())], current.map(shape), Some(shape(&next))), (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&credential)))
}

/// `DELETE …/federatedIdentityCredentials/{name}`
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    let known = owner(&call, &call.snapshot)?;
    if find(&call.snapshot, &known, call.scope.name()).is_none() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let owner = owner(&call, snapshot)?;
        let current = find(snapshot, &owner, call.scope.name()).ok_or_else(|| missing(&call.scope))?;
        let mutations = vec![Mutation::Delete(Entity::from(current.clone()).key())];
        Ok((Plan::new(mutations, Some(shape(current)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
