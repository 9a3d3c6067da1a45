//! `…/accounts/{name}/deployments`. A subscription's deployments of one model and SKU stay within its quota: what `usages` states
//! is what is enforced.

mod body;

use http::Method;
use keyless_model::Scope;
use keyless_model::entity::{Account, Deployment, Entity, Mutation};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::access::Access::{Action, Children};
use crate::answer::Reply;
use crate::arm::page::{Listing, Page, Row};
use crate::arm::precondition::{self, etag};
use crate::arm::within;
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::route::Route;
use crate::routes::accounts::ACCOUNT;
use crate::routes::models::MAX_CAPACITY;
use crate::routes::usages::{Usage, taken};
use keyless_directory::plan::deployment::{self, NewDeployment};
use keyless_directory::plan::removal;
use keyless_model::name;

use body::Body;

const DEPLOYMENT: &str = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/{deployment}";
const READ: &str = "Microsoft.CognitiveServices/accounts/deployments/read";
const WRITE: &str = "Microsoft.CognitiveServices/accounts/deployments/write";
const DELETE: &str = "Microsoft.CognitiveServices/accounts/deployments/delete";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::list(ACCOUNT, "/deployments", Children(READ), list),
        Route::new(Method::GET, DEPLOYMENT, "", Action(READ), show),
        Route::new(Method::HEAD, DEPLOYMENT, "", Action(READ), exists),
        Route::new(Method::GET, DEPLOYMENT, "/skus", Action(READ), skus),
        Route::new(Method::PUT, DEPLOYMENT, "", Action(WRITE), put),
        Route::new(Method::PATCH, DEPLOYMENT, "", Action(WRITE), patch),
        Route::new(Method::DELETE, DEPLOYMENT, "", Action(DELETE), delete),
    ]
}

/// The capacity of a deployment whose writer names none (`az` without `--sku-capacity`).
const DEFAULT_CAPACITY: u32 = 10;

/// The live account above a deployment's scope.
fn account<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a Account, Failure> {
    within::account(snapshot, &scope.parent().ok_or_else(|| Failure::no_such(scope))?)
}

fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a Deployment, Failure> {
    let account = account(snapshot, scope)?;
    snapshot.deployment(&account.scope, scope.name()).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

fn shape(deployment: &Deployment) -> Value {
    // What the gateway enforces. Without a capacity there is no limit.
    let limits = deployment.rate_limits().map_or_else(Vec::new, |limits| {
        vec![
            json!({ "key": "request", "renewalPeriod": limits.call_period_secs, "count": limits.calls }),
            json!({ "key": "token", "renewalPeriod": 60, "count": limits.tokens }),
        ]
    });
    let mut shape = json!({
        "id": deployment.scope,
        "name": deployment.scope.name(),
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "etag": etag(deployment.version),
        "sku": deployment.sku,
        "tags": deployment.tags,
        "systemData": { "createdAt": deployment.created.rfc3339() },
        "properties": {
            "model": deployment.model,
            "versionUpgradeOption": "NoAutoUpgrade",
            "provisioningState": "Succeeded",
            "deploymentState": "Running",
            "currentCapacity": deployment.sku.capacity,
            "rateLimits": limits,
        },
    });
    if let Some(upstream) = &deployment.upstream {
        shape["properties"]["upstream"] = upstream.as_str().into();
    }
    shape
}

/// `GET …/deployments`
async fn list(call: Listing) -> Result<Reply, Failure> {
    // Only a caller who may read the account learns that it is not there; the page refuses the others.
    let known = within::account(&call.snapshot, &call.scope);
    if call.whole {
        known.as_ref().map_err(Clone::clone)?;
    }
    let rows = call.snapshot.deployments_of(&call.scope).filter(|_| known.is_ok()).map(|row| Row::of(&row.scope, row));
    let page = Page::asked(&call)?;
    page.of(&call, page.sorted(rows), |row| shape(row))
}

/// `GET …/deployments/{name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let deployment = find(&call.snapshot, &call.scope)?;
    Ok(Reply::ok(shape(deployment)).etag(&etag(deployment.version)))
}

/// `HEAD …/deployments/{name}`: 204 or 404.
async fn exists(call: Allowed) -> Result<Reply, Failure> {
    find(&call.snapshot, &call.scope)?;
    Ok(Reply::no_content())
}

/// `GET …/deployments/{name}/skus`
async fn skus(call: Allowed) -> Result<Reply, Failure> {
    let deployment = find(&call.snapshot, &call.scope)?;
    let sku = json!({
        "resourceType": "Microsoft.CognitiveServices/accounts/deployments",
        "sku": { "name": deployment.sku.name },
        "capacity": { "minimum": 1, "maximum": MAX_CAPACITY, "default": DEFAULT_CAPACITY, "scaleType": "Manual" },
    });
    Ok(Reply::ok(json!({ "value": [sku] })))
}

/// `PUT …/deployments/{name}`
async fn put(call: Allowed<Body>) -> Result<Reply, Failure> {
    let body = &call.body;
    name::deployment(call.scope.name()).map_err(|error| Failure::new(Code::InvalidResourceName, error.to_string()))?;
    let (_, (new, deployment)) = call
        .commit(|snapshot| {
            let account = account(snapshot, &call.scope)?;
            let current = snapshot.deployment(&account.scope, call.scope.name());
            precondition::check(&call.headers, current.map(|row| row.version))?;
            let mut next = match current {
                Some(current) => Deployment { version: current.version + 1, ..current.as_ref().clone() },
                None => {
                    let model = body.properties.model.clone().ok_or_else(|| {
                        Failure::new(Code::InvalidResourceProperties, "The property 'properties.model' is required.").at("properties.model")
                    })?;
                    let scope = deployment::scope(&account.scope, call.scope.name()).map_err(|_| Failure::no_such(&call.scope))?;
                    let new = NewDeployment {
                        scope,
                        model,
                        sku: "Standard".to_owned(),
                        capacity: DEFAULT_CAPACITY,
                        upstream: None,
                        tags: Default::default(),
                    };
                    deployment::deployment(new, call.means()).entity
                }
            };
            body.apply(&mut next, &call.control.config.upstreams)?;
            check_quota(&call, snapshot, account, current.map(AsRef::as_ref), &next)?;
            let plan = Plan::new(vec![Mutation::put(next.clone())], current.map(|row| shape(row)), Some(shape(&next)));
            Ok((plan, (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&deployment)).etag(&etag(deployment.version)))
}

/// `PATCH …/deployments/{name}`: capacity and tags.
async fn patch(call: Allowed<Body>) -> Result<Reply, Failure> {
    let body = &call.body;
    let (_, deployment) = call
        .commit(|snapshot| {
            let current = find(snapshot, &call.scope)?;
            precondition::check(&call.headers, Some(current.version))?;
            let mut next = Deployment { version: current.version + 1, ..current.clone() };
            body.apply(&mut next, &call.control.config.upstreams)?;
            check_quota(&call, snapshot, account(snapshot, &call.scope)?, Some(current), &next)?;
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(shape(current)), Some(shape(&next))), next))
        })
        .await?;
    Ok(Reply::ok(shape(&deployment)).etag(&etag(deployment.version)))
}

/// `DELETE …/deployments/{name}`: the deployment, and what was granted on it alone.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    if find(&call.snapshot, &call.scope).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let current = find(snapshot, &call.scope)?;
        precondition::check(&call.headers, Some(current.version))?;
        let mut mutations = vec![Mutation::Delete(Entity::from(current.clone()).key())];
        mutations.extend(removal::at_and_below(snapshot, &current.scope));
        Ok((Plan::new(mutations, Some(shape(current)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}

/// Refuses a capacity beyond what is left. One that is not raised stands, whatever the quota has become since.
fn check_quota(
    call: &Call,
    snapshot: &Snapshot,
    account: &Account,
    current: Option<&Deployment>,
    next: &Deployment,
) -> Result<(), Failure> {
    let (usage, wished) = (Usage::of(next), u64::from(next.sku.capacity.unwrap_or_default()));
    let held = current.filter(|row| Usage::of(row) == usage).map_or(0, |row| u64::from(row.sku.capacity.unwrap_or_default()));
    if wished <= held {
        return Ok(());
    }
    let taken = taken(snapshot, account).get(&usage).copied().unwrap_or_default();
    let available = u64::from(call.control.config.quota).saturating_sub(taken.saturating_sub(held));
    if wished <= available {
        return Ok(());
    }
    let message = format!(
        "The specified capacity '{wished}' of account deployment is bigger than available capacity '{available}' for UsageName '{}'.",
        usage.title()
    );
    Err(Failure::new(Code::InsufficientQuota, message).at("sku.capacity"))
}
