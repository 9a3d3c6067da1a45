//! `Microsoft.Compute/virtualMachines`: hosts, as far as identities are concerned.

use http::Method;
use keyless_model::Scope;
use keyless_model::entity::{AssignedIdentities, Host, Mutation};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::{Action, List};
use crate::answer::Reply;
use crate::arm::identity::{self, IdentityBody};
use crate::arm::page::{Listing, Page, Row};
use crate::arm::tags::TagsBody;
use crate::arm::within;
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::route::{RESOURCE_GROUP, Route, SUBSCRIPTION};
use crate::routes::locations;
use keyless_directory::plan::removal;
use keyless_model::name;

const HOST: &str = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}";
const READ: &str = "Microsoft.Compute/virtualMachines/read";
const WRITE: &str = "Microsoft.Compute/virtualMachines/write";
const DELETE: &str = "Microsoft.Compute/virtualMachines/delete";
const ALL: &str = "/providers/Microsoft.Compute/virtualMachines";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::list(SUBSCRIPTION, ALL, List(READ), list),
        Route::list(RESOURCE_GROUP, ALL, List(READ), list),
        Route::new(Method::GET, HOST, "", Action(READ), show),
        Route::new(Method::PUT, HOST, "", Action(WRITE), put),
        Route::new(Method::PATCH, HOST, "", Action(WRITE), put),
        Route::new(Method::DELETE, HOST, "", Action(DELETE), delete),
    ]
}

fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a Host, Failure> {
    snapshot.host(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

pub(super) fn shape(snapshot: &Snapshot, host: &Host) -> Value {
    let mut body = json!({
        "id": host.scope,
        "name": host.scope.name(),
        "type": "Microsoft.Compute/virtualMachines",
        "location": host.location,
        "tags": host.tags,
        "properties": { "provisioningState": "Succeeded", "timeCreated": host.created.rfc3339() },
    });
    if let Some(block) = identity::shape(snapshot, &host.identity) {
        body["identity"] = block;
    }
    body
}

/// `GET …/virtualMachines`, of a subscription or a resource group.
async fn list(call: Listing) -> Result<Reply, Failure> {
    let page = Page::asked(&call)?;
    let rows = call.snapshot.hosts_below(page.below(&call)).map(|host| Row::of(&host.scope, host));
    page.of(&call, rows, |host| shape(&call.snapshot, host))
}

/// `GET …/virtualMachines/{name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    Ok(Reply::ok(shape(&call.snapshot, find(&call.snapshot, &call.scope)?)))
}

#[derive(Deserialize)]
struct Body {
    location: Option<String>,
    #[serde(default)]
    tags: TagsBody,
    identity: Option<IdentityBody>,
}

/// `PUT` and `PATCH …/virtualMachines/{name}`: a host, and the identities on it.
async fn put(call: Allowed<Body>) -> Result<Reply, Failure> {
    let body = &call.body;
    let patch = call.method == Method::PATCH;
    name::host(call.scope.name()).map_err(|error| Failure::new(Code::InvalidResourceName, error.to_string()))?;
    let (snapshot, (new, host)) = call
        .commit(|snapshot| {
            let scope = within::in_group(snapshot, &call.scope)?;
            let current = snapshot.host(&scope);
            let mut next = match current {
                Some(current) => current.as_ref().clone(),
                None if patch => return Err(Failure::no_such(&scope)),
                None => Host {
                    scope,
                    location: locations::wished(&call, body.location.as_deref(), None)?,
                    identity: AssignedIdentities::default(),
                    tags: Default::default(),
                    created: call.ctx.now,
                },
            };
            next.tags = body.tags.over(&next.tags)?;
            let mut mutations = Vec::new();
            if let Some(block) = &body.identity {
                let wish = block.wish(&next.identity, patch)?;
                (next.identity, mutations) = identity::change(&call, snapshot, (&next.scope, &next.location), &next.identity, &wish)?;
            }
            mutations.push(Mutation::put(next.clone()));
            let after = snapshot.with(snapshot.revision(), &mutations);
            let plan = Plan::new(mutations, current.map(|row| shape(snapshot, row)), Some(shape(&after, &next)));
            Ok((plan, (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&snapshot, &host)))
}

/// `DELETE …/virtualMachines/{name}`: the host, and its system-assigned identity with its assignments. Attached user-assigned
/// identities live on.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    if call.snapshot.host(&call.scope).is_none() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let host = find(snapshot, &call.scope)?;
        Ok((Plan::new(removal::host(snapshot, host), Some(shape(snapshot, host)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
