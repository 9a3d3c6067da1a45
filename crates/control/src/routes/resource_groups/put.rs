//! `PUT /subscriptions/{id}/resourceGroups/{name}`

use keyless_directory::plan::container;
use keyless_model::entity::{Mutation, ResourceGroup};
use keyless_model::name;
use serde::Deserialize;

use super::shape;
use crate::answer::Reply;
use crate::arm::tags::TagsBody;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::routes::locations;

#[derive(Deserialize)]
struct Body {
    location: Option<String>,
    #[serde(default)]
    tags: TagsBody,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    name::resource_group(call.scope.name()).map_err(|error| Failure::invalid("InvalidResourceGroup", error.to_string()))?;
    let (_, (new, group)) = call
        .commit(|snapshot| {
            let current = snapshot.resource_group(&call.scope);
            let next = match current {
                Some(current) => changed(current, &body)?,
                None => {
                    let location = body.location.as_deref().ok_or_else(|| {
                        Failure::invalid("LocationRequired", "The location property is required for this definition.").at("location")
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

fn changed(current: &ResourceGroup, body: &Body) -> Result<ResourceGroup, Failure> {
    if let Some(location) = &body.location
        && locations::normal(location)? != current.location
    {
        let message =
            format!("Invalid resource group location '{location}'. The Resource group already exists in location '{}'.", current.location);
        return Err(Failure::conflict("InvalidResourceGroupLocation", message));
    }
    Ok(ResourceGroup { tags: body.tags.over(&current.tags)?, ..current.clone() })
}
