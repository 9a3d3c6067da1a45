//! Resources by id, whatever their type: those that Keyless gives a meaning to have routes of their own; the rest is kept as it was
//! written.

mod list;

use http::Method;
use keyless_model::entity::{Entity, GenericResource, Mutation, Tags};
use keyless_model::{Scope, ScopeKind};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::access::Access::{List, Resource};
use crate::answer::Reply;
use crate::arm::tags::TagsBody;
use crate::arm::within;
use crate::call::{Call, Content};
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::route::{ANYWHERE, RESOURCE_GROUP, Route, SUBSCRIPTION};
use crate::routes::locations;
use keyless_directory::plan::removal;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::list(SUBSCRIPTION, "/resources", List("Microsoft.Resources/subscriptions/resources/read"), list::list),
        Route::list(RESOURCE_GROUP, "/resources", List("Microsoft.Resources/subscriptions/resourceGroups/resources/read"), list::list),
        Route::new(Method::GET, ANYWHERE, "", Resource, show),
        Route::new(Method::HEAD, ANYWHERE, "", Resource, exists),
        Route::new(Method::PUT, ANYWHERE, "", Resource, put),
        Route::new(Method::PATCH, ANYWHERE, "", Resource, patch),
        Route::new(Method::DELETE, ANYWHERE, "", Resource, delete),
    ]
}

/// Namespaces whose resources have a meaning here. A resource of such a type is never stored as mere text: it would look like a
/// grant or an identity and be none.
const RESERVED: &[&str] = &[
    "Microsoft.Authorization",
    "Microsoft.CognitiveServices",
    "Microsoft.Compute",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.Management",
    "Microsoft.Resources",
];

/// Refuses what is no resource in a resource group, or one of a reserved namespace.
fn require_generic(scope: &Scope) -> Result<(), Failure> {
    let kind = scope.resource_type().filter(|_| scope.kind() == ScopeKind::Resource && scope.resource_group().is_some());
    let Some(kind) = kind else {
        return Err(Failure::new(Code::NotFound, "The requested path does not exist here; check the resource type and its spelling."));
    };
    let namespaces = scope.as_str().split("/providers/").skip(1).filter_map(|rest| rest.split('/').next());
    for namespace in namespaces {
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(namespace)) && kind.starts_with(namespace) {
            let message = format!("The resource type could not be found in the namespace '{namespace}': '{kind}'.");
            return Err(Failure::new(Code::InvalidResourceType, message));
        }
    }
    Ok(())
}

fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a GenericResource, Failure> {
    require_generic(scope)?;
    snapshot.resource(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

fn shape(resource: &GenericResource) -> Value {
    let mut body = json!({
        "id": resource.scope,
        "name": resource.scope.name(),
        "type": resource.scope.resource_type(),
        "location": resource.location,
        "tags": resource.tags,
    });
    if let (Some(body), Some(kept)) = (body.as_object_mut(), resource.body.as_object()) {
        body.extend(kept.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    body
}

/// `GET {id}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    Ok(Reply::ok(shape(find(&call.snapshot, &call.scope)?)))
}

/// `HEAD {id}`
async fn exists(call: Allowed) -> Result<Reply, Failure> {
    find(&call.snapshot, &call.scope)?;
    Ok(Reply::no_content())
}

/// `PUT {id}`
async fn put(call: Allowed<NewBody>) -> Result<Reply, Failure> {
    let NewBody(body) = &call.body;
    let (_, (new, resource)) = call
        .commit(|snapshot| {
            let scope = within::in_group(snapshot, &call.scope)?;
            let current = snapshot.resource(&scope);
            let location = body.location.as_deref().or(current.map(|row| row.location.as_str()));
            let next = GenericResource {
                location: locations::wished(&call, location, None)?,
                tags: body.tags(&Default::default())?,
                body: body.kept()?.into(),
                created: current.map_or(call.ctx.now, |row| row.created),
                scope: current.map_or(scope, |row| row.scope.clone()),
            };
            let plan = Plan::new(vec![Mutation::put(next.clone())], current.map(|row| audited(row)), Some(audited(&next)));
            Ok((plan, (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&resource)))
}

/// What the audit shows: which members are kept, and none of what is in them. Nobody here knows which of it is a secret, and it may
/// be as large and as deep as its writer likes.
fn audited(resource: &GenericResource) -> Value {
    let mut shown = shape(resource);
    for (name, value) in shown.as_object_mut().into_iter().flatten() {
        if resource.body.get(name).is_some() {
            *value = "(kept, not shown)".into();
        }
    }
    shown
}

/// `PATCH {id}`
async fn patch(call: Allowed<Body>) -> Result<Reply, Failure> {
    let body = &call.body;
    let (_, resource) = call
        .commit(|snapshot| {
            let current = find(snapshot, &call.scope)?;
            let mut next = current.clone();
            next.tags = body.tags(&current.tags)?;
            merge(&mut next.body, &body.kept()?.into());
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(audited(current)), Some(audited(&next))), next))
        })
        .await?;
    Ok(Reply::ok(shape(&resource)))
}

/// `DELETE {id}`
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    require_generic(&call.scope)?;
    if find(&call.snapshot, &call.scope).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        find(snapshot, &call.scope)?;
        let below = snapshot.resources_below(&call.scope);
        let mut mutations: Vec<Mutation> = below.map(|row| Mutation::Delete(Entity::from(row.as_ref().clone()).key())).collect();
        mutations.extend(removal::at_and_below(snapshot, &call.scope));
        Ok((Plan::new(mutations, snapshot.resource(&call.scope).map(|row| audited(row)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}

/// Members that are kept as they are written.
const KEPT: &[&str] = &["sku", "kind", "plan", "managedBy", "zones", "extendedLocation", "properties"];

#[derive(Deserialize)]
struct Body {
    location: Option<String>,
    #[serde(default)]
    tags: TagsBody,
    identity: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The body of a resource that may be new; what is none here is said before anything of the body.
struct NewBody(Body);

impl Content for NewBody {
    fn read(call: &Call) -> Result<Self, Failure> {
        require_generic(&call.scope)?;
        call.json().map(Self)
    }
}

impl Body {
    fn tags(&self, current: &Tags) -> Result<Tags, Failure> {
        self.tags.over(current)
    }

    /// What is kept of the body.
    fn kept(&self) -> Result<Map<String, Value>, Failure> {
        // SECURITY: an identity on such a resource would be text that looks like one; better none.
        if self.identity.as_ref().is_some_and(|block| !block.is_null()) {
            return Err(Failure::new(Code::IdentityNotSupported, "Resources of this type cannot carry identities here.").at("identity"));
        }
        let kept = self.rest.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
        Ok(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

/// RFC 7396 on `properties`, as ARM's PATCH does; other members are replaced.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
