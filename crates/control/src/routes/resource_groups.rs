//! `/subscriptions/{id}/resourceGroups`

use http::Method;
use keyless_model::Scope;
use keyless_model::entity::{Mutation, ResourceGroup};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::{Action, List};
use crate::answer::Reply;
use crate::arm::page::{Listing, Page, Row};
use crate::arm::tags::TagsBody;
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::filter::{Term, parse, unsupported};
use crate::permitted::{Allowed, Plan};
use crate::route::{RESOURCE_GROUP, Route, SUBSCRIPTION};
use crate::routes::locations;
use keyless_directory::plan::container;
use keyless_directory::plan::removal;
use keyless_model::name;

const WRITE: &str = "Microsoft.Resources/subscriptions/resourceGroups/write";
const DELETE: &str = "Microsoft.Resources/subscriptions/resourceGroups/delete";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::list(SUBSCRIPTION, "/resourceGroups", List(READ), list),
        Route::new(Method::GET, RESOURCE_GROUP, "", Action(READ), show),
        Route::new(Method::HEAD, RESOURCE_GROUP, "", Action(READ), exists),
        Route::new(Method::PUT, RESOURCE_GROUP, "", Action(WRITE), put),
        Route::new(Method::PATCH, RESOURCE_GROUP, "", Action(WRITE), patch),
        Route::new(Method::DELETE, RESOURCE_GROUP, "", Action(DELETE), delete),
    ]
}

fn find<'a>(snapshot: &'a Snapshot, scope: &Scope) -> Result<&'a ResourceGroup, Failure> {
    snapshot.resource_group(scope).map(AsRef::as_ref).ok_or_else(|| Failure::no_such(scope))
}

fn shape(group: &ResourceGroup) -> Value {
    json!({
        "id": group.scope,
        "name": group.scope.name(),
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": if group.tags.is_empty() { Value::Null } else { json!(group.tags) },
        "properties": { "provisioningState": "Succeeded" },
    })
}

const READ: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";

/// `GET /subscriptions/{id}/resourceGroups[?$filter=tagname eq 'a' and tagvalue eq 'b']`
async fn list(call: Listing) -> Result<Reply, Failure> {
    let tag = tag(&call)?;
    let page = Page::asked(&call)?;
    let rows = call.snapshot.resource_groups_below(page.below(&call)).filter(|group| matches(group, tag.as_ref()));
    page.of(&call, rows.map(|group| Row::of(&group.scope, group)), |group| shape(group))
}

fn tag(call: &Call) -> Result<Option<(String, Option<String>)>, Failure> {
    let Some(filter) = call.query.field("$filter") else { return Ok(None) };
    match parse(filter)?.as_slice() {
        [Term::Equals(name, tag)] if name.eq_ignore_ascii_case("tagname") => Ok(Some((tag.clone(), None))),
        [Term::Equals(name, tag), Term::Equals(value_name, value)]
            if name.eq_ignore_ascii_case("tagname") && value_name.eq_ignore_ascii_case("tagvalue") =>
        {
            Ok(Some((tag.clone(), Some(value.clone()))))
        }
        _ => Err(unsupported(filter)),
    }
}

fn matches(group: &ResourceGroup, tag: Option<&(String, Option<String>)>) -> bool {
    let Some((name, value)) = tag else { return true };
    group.tags.iter().any(|(known, tagged)| known.eq_ignore_ascii_case(name) && value.as_ref().is_none_or(|value| value == tagged))
}

/// `GET /subscriptions/{id}/resourceGroups/{name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    Ok(Reply::ok(shape(find(&call.snapshot, &call.scope)?)))
}

/// `HEAD /subscriptions/{id}/resourceGroups/{name}`: 204 or 404; `az group exists` takes no other answer.
async fn exists(call: Allowed) -> Result<Reply, Failure> {
    find(&call.snapshot, &call.scope)?;
    Ok(Reply::no_content())
}

#[derive(Deserialize)]
struct PutBody {
    location: Option<String>,
    #[serde(default)]
    tags: TagsBody,
}

/// `PUT /subscriptions/{id}/resourceGroups/{name}`
async fn put(call: Allowed<PutBody>) -> Result<Reply, Failure> {
    let body = &call.body;
    name::resource_group(call.scope.name()).map_err(|error| Failure::new(Code::InvalidResourceGroup, error.to_string()))?;
    let (_, (new, group)) = call
        .commit(|snapshot| {
            let current = snapshot.resource_group(&call.scope);
            let next = match current {
                Some(current) => changed(current, body)?,
                None => {
                    let location = body.location.as_deref().ok_or_else(|| {
                        Failure::new(Code::LocationRequired, "The location property is required for this definition.").at("location")
                    })?;
                    let (location, tags) = (locations::normal(location)?, body.tags.over(&Default::default())?);
                    container::resource_group(call.scope.clone(), &location, tags, call.means()).entity
                }
            };
            let plan = Plan::new(vec![Mutation::put(next.clone())], current.map(|row| shape(row)), Some(shape(&next)));
            Ok((plan, (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&group)))
}

fn changed(current: &ResourceGroup, body: &PutBody) -> Result<ResourceGroup, Failure> {
    if let Some(location) = &body.location
        && locations::normal(location)? != current.location
    {
        let message =
            format!("Invalid resource group location '{location}'. The Resource group already exists in location '{}'.", current.location);
        return Err(Failure::new(Code::InvalidResourceGroupLocation, message));
    }
    Ok(ResourceGroup { tags: body.tags.over(&current.tags)?, ..current.clone() })
}

#[derive(Deserialize)]
struct PatchBody {
    #[serde(default)]
    tags: TagsBody,
}

/// `PATCH /subscriptions/{id}/resourceGroups/{name}`: tags.
async fn patch(call: Allowed<PatchBody>) -> Result<Reply, Failure> {
    let body = &call.body;
    let (_, group) = call
        .commit(|snapshot| {
            let current = find(snapshot, &call.scope)?;
            let next = ResourceGroup { tags: body.tags.over(&current.tags)?, ..current.clone() };
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(shape(current)), Some(shape(&next))), next))
        })
        .await?;
    Ok(Reply::ok(shape(&group)))
}

/// `DELETE /subscriptions/{id}/resourceGroups/{name}`: the group and everything in it, in one change.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let group = find(snapshot, &call.scope)?;
        Ok((Plan::new(removal::resource_group(snapshot, group, call.ctx.now), Some(shape(group)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
