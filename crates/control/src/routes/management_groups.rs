//! `Microsoft.Management/managementGroups`: containers of subscriptions. What is granted at one holds in every subscription below.

use http::Method;
use keyless_model::Scope;
use keyless_model::entity::{Entity, ManagementGroup, Mutation, Subscription};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::{Action, List};
use crate::answer::Reply;
use crate::arm::page::{Listing, Page, Row};
use crate::call::{Call, OrDefault};
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::route::Route;
use keyless_model::name;

const MANAGEMENT_GROUP: &str = "/providers/Microsoft.Management/managementGroups/{name}";
const READ: &str = "Microsoft.Management/managementGroups/read";
const NAMED: &str = "/subscriptions/{subscription}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::list("", "/providers/Microsoft.Management/managementGroups", List(READ), list),
        Route::new(Method::GET, MANAGEMENT_GROUP, "", Action(READ), show),
        Route::new(Method::PUT, MANAGEMENT_GROUP, "", Action("Microsoft.Management/managementGroups/write"), put),
        Route::new(Method::PATCH, MANAGEMENT_GROUP, "", Action("Microsoft.Management/managementGroups/write"), put),
        Route::new(Method::DELETE, MANAGEMENT_GROUP, "", Action("Microsoft.Management/managementGroups/delete"), delete),
        Route::new(
            Method::PUT,
            MANAGEMENT_GROUP,
            NAMED,
            Action("Microsoft.Management/managementGroups/subscriptions/write"),
            add_subscription,
        ),
        Route::new(
            Method::DELETE,
            MANAGEMENT_GROUP,
            NAMED,
            Action("Microsoft.Management/managementGroups/subscriptions/delete"),
            remove_subscription,
        ),
    ]
}

fn scope_of(name: &str) -> Result<Scope, Failure> {
    Scope::management_group(name).map_err(|error| Failure::new(Code::InvalidManagementGroup, error.to_string()))
}

/// The group of that name in the caller's own tenant.
fn find<'a>(call: &Call, snapshot: &'a Snapshot, name: &str) -> Result<&'a ManagementGroup, Failure> {
    let found = snapshot.management_group(name).map(AsRef::as_ref).filter(|group| group.tenant == call.tenant());
    found.ok_or_else(|| Failure::new(Code::NotFound, format!("The management group '{name}' cannot be found.")))
}

/// The subscription that the path names, in the caller's own tenant.
fn subscription<'a>(call: &Call, snapshot: &'a Snapshot) -> Result<&'a Subscription, Failure> {
    let id = call.param("subscription");
    let found = id.parse().ok().and_then(|id| snapshot.subscription(id)).map(AsRef::as_ref);
    found.filter(|row| row.tenant == call.tenant()).ok_or_else(|| Failure::no_subscription(id))
}

fn shape(group: &ManagementGroup) -> Value {
    let parent =
        group.parent.as_ref().map(|name| json!({ "id": format!("/providers/Microsoft.Management/managementGroups/{name}"), "name": name }));
    json!({
        "id": format!("/providers/Microsoft.Management/managementGroups/{}", group.name),
        "name": group.name,
        "type": "Microsoft.Management/managementGroups",
        "properties": { "tenantId": group.tenant, "displayName": group.display_name, "details": { "parent": parent } },
    })
}

/// A subscription as the answer to its being put below a group.
fn entry(group: &ManagementGroup, subscription: &Subscription) -> Value {
    json!({
        "id": format!("/providers/Microsoft.Management/managementGroups/{}/subscriptions/{}", group.name, subscription.id),
        "name": subscription.id,
        "type": "Microsoft.Management/managementGroups/subscriptions",
        "properties": {
            "tenant": subscription.tenant,
            "displayName": subscription.display_name,
            "parent": { "id": format!("/providers/Microsoft.Management/managementGroups/{}", group.name) },
            "state": "Active",
        },
    })
}

/// `GET /providers/Microsoft.Management/managementGroups`
async fn list(call: Listing) -> Result<Reply, Failure> {
    let own = call.snapshot.management_groups().filter(|group| group.tenant == call.tenant());
    let rows: Vec<_> = own.map(|group| scope_of(&group.name).map(|scope| Row::of(&scope, group))).collect::<Result<_, _>>()?;
    let page = Page::asked(&call)?;
    page.of(&call, page.sorted(rows.into_iter()), |group| shape(group))
}

/// `GET /providers/Microsoft.Management/managementGroups/{name}[?$expand=children]`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let group = find(&call, &call.snapshot, call.param("name"))?;
    let mut body = shape(group);
    if call.query.field("$expand").is_some_and(|what| what.eq_ignore_ascii_case("children")) {
        let is_parent = |parent: &Option<String>| parent.as_ref().is_some_and(|parent| parent.eq_ignore_ascii_case(&group.name));
        let groups = call.snapshot.management_groups().filter(|row| is_parent(&row.parent)).map(|row| {
            json!({ "id": format!("/providers/Microsoft.Management/managementGroups/{}", row.name), "name": row.name, "displayName": row.display_name, "type": "Microsoft.Management/managementGroups" })
        });
        let subscriptions = call.snapshot.subscriptions().filter(|row| is_parent(&row.management_group)).map(|row| {
            json!({ "id": format!("/subscriptions/{}", row.id), "name": row.id, "displayName": row.display_name, "type": "/subscriptions" })
        });
        body["properties"]["children"] = groups.chain(subscriptions).collect::<Vec<Value>>().into();
    }
    Ok(Reply::ok(body))
}

/// The deepest tree, as on Azure: six levels below the root.
const MAX_DEPTH: usize = 6;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    properties: Properties,
    // PATCH sends these without `properties`.
    display_name: Option<String>,
    parent_group_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    display_name: Option<String>,
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    parent: Option<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    id: Option<String>,
}

impl Body {
    fn parent(&self) -> Option<&str> {
        let nested = self.properties.details.as_ref().and_then(|details| details.parent.as_ref()).and_then(|parent| parent.id.as_deref());
        nested.or(self.parent_group_id.as_deref()).map(|id| id.rsplit('/').next().unwrap_or(id))
    }
}

/// `PUT` and `PATCH /providers/Microsoft.Management/managementGroups/{name}`
///
/// SECURITY: moving a group below another hands its subscriptions to whoever holds roles there: `arm::inheritance` asks for what
/// that takes.
async fn put(call: Allowed<OrDefault<Body>>) -> Result<Reply, Failure> {
    let OrDefault(body) = &call.body;
    let wished_name = call.param("name");
    let invalid = |why: &str| Failure::new(Code::BadRequest, why.to_owned());
    let plain = (1..=90).contains(&wished_name.len()) && wished_name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.()".contains(&b));
    if !plain {
        return Err(invalid("A management group's name has 1 to 90 letters, digits and -_.()"));
    }
    let display = body.properties.display_name.as_deref().or(body.display_name.as_deref());
    if let Some(display) = display {
        name::display(display, "a management group", 256).map_err(|error| invalid(&error.to_string()))?;
    }
    let (_, group) = call
        .commit(|snapshot| {
            let current = snapshot.management_group(wished_name);
            if current.is_some_and(|group| group.tenant != call.tenant()) || (current.is_none() && call.method == Method::PATCH) {
                return Err(Failure::new(Code::NotFound, format!("The management group '{wished_name}' cannot be found.")));
            }
            let mut next = current.map_or_else(
                || ManagementGroup {
                    name: wished_name.to_owned(),
                    tenant: call.tenant(),
                    display_name: wished_name.to_owned(),
                    parent: None,
                },
                |group| group.as_ref().clone(),
            );
            if let Some(display) = display {
                next.display_name = display.to_owned();
            }
            if let Some(parent) = body.parent() {
                let parent = find(&call, snapshot, parent)?;
                next.parent = Some(parent.name.clone());
            }
            let depth = std::iter::successors(next.parent.as_deref(), |name| {
                snapshot.management_group(name).and_then(|group| group.parent.as_deref())
            })
            .take_while(|name| !name.eq_ignore_ascii_case(&next.name))
            .take(MAX_DEPTH + 1)
            .count();
            let cyclic = std::iter::successors(next.parent.as_deref(), |name| {
                snapshot.management_group(name).and_then(|group| group.parent.as_deref())
            })
            .take(MAX_DEPTH + 1)
            .any(|name| name.eq_ignore_ascii_case(&next.name));
            if cyclic || depth > MAX_DEPTH {
                return Err(invalid("The parent would make the tree of management groups a circle or deeper than six levels."));
            }
            let plan = Plan::new(vec![Mutation::put(next.clone())], current.map(|row| shape(row)), Some(shape(&next)));
            // Clients take nothing but 200, for a new group too.
            Ok((plan.answered(http::StatusCode::OK), next))
        })
        .await?;
    Ok(Reply::ok(shape(&group)))
}

/// `DELETE /providers/Microsoft.Management/managementGroups/{name}`: empty groups only.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    let name = call.param("name");
    if find(&call, &call.snapshot, name).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let group = find(&call, snapshot, name)?;
        let inside = |parent: &Option<String>| parent.as_ref().is_some_and(|parent| parent.eq_ignore_ascii_case(&group.name));
        let full = snapshot.management_groups().any(|row| inside(&row.parent))
            || snapshot.subscriptions().any(|row| inside(&row.management_group));
        if full {
            return Err(Failure::new(
                Code::BadRequest,
                "The management group has child resources associated with it. Delete or move them first.",
            ));
        }
        let scope = scope_of(&group.name)?;
        let granted = snapshot.policy().assignments_at(&scope).map(|row| Mutation::Delete(Entity::from(row).key()));
        let mut mutations: Vec<Mutation> = granted.collect();
        mutations.push(Mutation::Delete(Entity::from(group.clone()).key()));
        // The SDKs take 202 and 204.
        Ok((Plan::new(mutations, Some(shape(group)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// `PUT /providers/Microsoft.Management/managementGroups/{name}/subscriptions/{id}`
///
/// SECURITY: whoever holds a role at the group then holds it in the subscription: `arm::inheritance` asks for what that takes.
async fn add_subscription(call: Allowed) -> Result<Reply, Failure> {
    let (snapshot, row) = call
        .commit(|snapshot| {
            let group = find(&call, snapshot, call.param("name"))?;
            let row = subscription(&call, snapshot)?;
            let next = Subscription { management_group: Some(group.name.clone()), ..row.clone() };
            let before = json!({ "subscriptionId": row.id, "managementGroup": row.management_group });
            let after = json!({ "subscriptionId": row.id, "managementGroup": next.management_group });
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(before), Some(after)), next))
        })
        .await?;
    Ok(Reply::ok(entry(find(&call, &snapshot, call.param("name"))?, &row)))
}

/// `DELETE /providers/Microsoft.Management/managementGroups/{name}/subscriptions/{id}`
async fn remove_subscription(call: Allowed) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let group = find(&call, snapshot, call.param("name"))?;
        let row = subscription(&call, snapshot)?;
        if !row.management_group.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(&group.name)) {
            return Err(Failure::new(Code::NotFound, format!("The subscription is not in the management group '{}'.", group.name)));
        }
        let next = Subscription { management_group: None, ..row.clone() };
        let before = json!({ "subscriptionId": row.id, "managementGroup": row.management_group });
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(json!({ "subscriptionId": row.id }))), ()))
    })
    .await?;
    Ok(Reply::done())
}
