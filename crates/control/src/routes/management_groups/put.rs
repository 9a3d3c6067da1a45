//! `PUT` and `PATCH /providers/Microsoft.Management/managementGroups/{name}`
//!
//! SECURITY: moving a group below another hands its subscriptions to whoever holds roles there: `arm::inheritance` asks for what
//! that takes.

use http::Method;
use keyless_model::entity::{ManagementGroup, Mutation};
use keyless_model::name;
use serde::Deserialize;

use super::{find, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

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

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = if call.body.is_empty() { Body::default() } else { call.json()? };
    let wished_name = call.param("name");
    let invalid = |why: &str| Failure::invalid("BadRequest", why.to_owned());
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
                return Err(Failure::not_found("NotFound", format!("The management group '{wished_name}' cannot be found.")));
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
                let parent = find(call, snapshot, parent)?;
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
