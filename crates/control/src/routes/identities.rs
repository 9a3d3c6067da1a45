//! `Microsoft.ManagedIdentity/userAssignedIdentities`

use http::Method;
use keyless_model::Scope;
use keyless_model::entity::{ManagedIdentity, Mutation};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::{Action, List};
use crate::answer::Reply;
use crate::arm::page::{Listing, Page, Row};
use crate::arm::tags::TagsBody;
use crate::arm::within;
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::route::{RESOURCE_GROUP, Route, SUBSCRIPTION};
use crate::routes::locations;
use keyless_directory::plan::identity;
use keyless_directory::plan::removal;
use keyless_model::name;

pub(super) const IDENTITY: &str =
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}";
const READ: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/read";
const WRITE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/write";
const DELETE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/delete";
const ALL: &str = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::list(SUBSCRIPTION, ALL, List(READ), list),
        Route::list(RESOURCE_GROUP, ALL, List(READ), list),
        Route::new(Method::GET, IDENTITY, "", Action(READ), show),
        Route::new(Method::HEAD, IDENTITY, "", Action(READ), exists),
        Route::new(Method::PUT, IDENTITY, "", Action(WRITE), put),
        Route::new(Method::PATCH, IDENTITY, "", Action(WRITE), put),
        Route::new(Method::DELETE, IDENTITY, "", Action(DELETE), delete),
        Route::new(
            Method::POST,
            IDENTITY,
            "/listAssociatedResources",
            Action("Microsoft.ManagedIdentity/userAssignedIdentities/listAssociatedResources/action"),
            list_associated,
        ),
    ]
}

pub(super) fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a ManagedIdentity, Failure> {
    snapshot.user_assigned(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

pub(super) fn shape(identity: &ManagedIdentity) -> Value {
    json!({
        "id": identity.scope,
        "name": identity.scope.name(),
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "location": identity.location,
        "tags": identity.tags,
        "properties": { "tenantId": identity.tenant, "principalId": identity.principal_id, "clientId": identity.client_id },
    })
}

/// `GET …/userAssignedIdentities`, of a subscription or a resource group.
async fn list(call: Listing) -> Result<Reply, Failure> {
    let page = Page::asked(&call)?;
    let rows = call.snapshot.user_assigned_below(page.below(&call)).map(|identity| Row::of(&identity.scope, identity));
    page.of(&call, rows, |identity| shape(identity))
}

/// `GET …/userAssignedIdentities/{name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    Ok(Reply::ok(shape(find(&call.snapshot, &call.scope)?)))
}

/// `HEAD …/userAssignedIdentities/{name}`: 204 or 404.
async fn exists(call: Allowed) -> Result<Reply, Failure> {
    find(&call.snapshot, &call.scope)?;
    Ok(Reply::no_content())
}

#[derive(Deserialize)]
struct Body {
    location: Option<String>,
    #[serde(default)]
    tags: TagsBody,
}

/// `PUT` and `PATCH …/userAssignedIdentities/{name}`. The ids are ours to choose, once; a body that names others is ignored
/// (case 128).
async fn put(call: Allowed<Body>) -> Result<Reply, Failure> {
    let body = &call.body;
    name::identity(call.scope.name()).map_err(|error| Failure::new(Code::InvalidResourceName, error.to_string()))?;
    let (_, (new, identity)) = call
        .commit(|snapshot| {
            let scope = within::in_group(snapshot, &call.scope)?;
            let current = snapshot.user_assigned(&scope);
            let (mutations, next) = match current {
                Some(current) => {
                    let next = changed(current, body)?;
                    (vec![Mutation::put(next.clone())], next)
                }
                None if call.method == Method::PATCH => return Err(Failure::no_such(&scope)),
                None => {
                    let location = locations::wished(&call, body.location.as_deref(), None)?;
                    let tags = body.tags.over(&Default::default())?;
                    let means = call.means();
                    let planned = identity::user_assigned(scope, call.tenant(), &location, tags, means);
                    (planned.mutations, planned.entity)
                }
            };
            Ok((Plan::new(mutations, current.map(|row| shape(row)), Some(shape(&next))), (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&identity)))
}

fn changed(current: &ManagedIdentity, body: &Body) -> Result<ManagedIdentity, Failure> {
    if let Some(location) = &body.location
        && locations::normal(location)? != current.location
    {
        let message = format!(
            "The resource '{}' already exists in location '{}'. A resource with the same name cannot be created in location '{location}'. \
             Please select a new resource name.",
            current.scope.name(),
            current.location
        );
        return Err(Failure::new(Code::InvalidResourceLocation, message));
    }
    Ok(ManagedIdentity { tags: body.tags.over(&current.tags)?, ..current.clone() })
}

/// `DELETE …/userAssignedIdentities/{name}`. Its tokens stop working at once. Its role assignments stay as orphans, as on Azure;
/// an identity of the same name has new ids and inherits nothing (case 125).
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    if call.snapshot.user_assigned(&call.scope).is_none() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let identity = find(snapshot, &call.scope)?;
        Ok((Plan::new(removal::user_assigned(snapshot, identity), Some(shape(identity)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}

/// `POST …/userAssignedIdentities/{name}/listAssociatedResources`: the hosts and accounts that carry the identity, as far as the
/// caller may read them.
async fn list_associated(call: Allowed) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let identity = find(snapshot, &call.scope)?;
    let root = Scope::root();
    let hosts = snapshot.hosts_below(&root).filter(|row| row.identity.user.contains(&identity.scope)).map(|row| &row.scope);
    let accounts = snapshot.accounts_below(&root).filter(|row| row.deleted.is_none() && row.identity.user.contains(&identity.scope));
    let carriers = hosts.chain(accounts.map(|row| &row.scope)).filter(|scope| may_read(&call, scope));
    let value: Vec<Value> = carriers.map(|scope| carrier(&call, scope)).collect();
    Ok(Reply::ok(json!({ "totalCount": value.len(), "value": value })))
}

fn may_read(call: &Call, scope: &Scope) -> bool {
    scope.resource_type().is_some_and(|kind| call.may(&call.snapshot, &format!("{kind}/read"), scope))
}

fn carrier(call: &Call, scope: &Scope) -> Value {
    let subscription = scope.subscription_id();
    json!({
        "id": scope,
        "name": scope.name(),
        "type": scope.resource_type(),
        "resourceGroup": scope.resource_group(),
        "subscriptionId": subscription,
        "subscriptionDisplayName": subscription.and_then(|id| call.snapshot.subscription(id)).map(|row| row.display_name.clone()),
    })
}
