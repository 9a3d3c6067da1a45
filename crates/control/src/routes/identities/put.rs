//! `PUT` and `PATCH …/userAssignedIdentities/{name}`. The ids are ours to choose, once; a body that names others is ignored
//! (case 128).

use http::Method;
use keyless_directory::plan::identity;
use keyless_model::entity::{ManagedIdentity, Mutation};
use keyless_model::name;
use serde::Deserialize;

use super::shape;
use crate::answer::Reply;
use crate::arm::tags::TagsBody;
use crate::arm::within;
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
    name::identity(call.scope.name()).map_err(|error| Failure::invalid("InvalidResourceName", error.to_string()))?;
    let (_, (new, identity)) = call
        .commit(|snapshot| {
            let scope = within::in_group(snapshot, &call.scope)?;
            let current = snapshot.user_assigned(&scope);
            let (mutations, next) = match current {
                Some(current) => {
                    let next = changed(current, &body)?;
                    (vec![Mutation::put(next.clone())], next)
                }
                None if call.method == Method::PATCH => return Err(Failure::no_such(&scope)),
                None => {
                    let location = locations::wished(call, body.location.as_deref(), None)?;
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
        return Err(Failure::conflict("InvalidResourceLocation", message));
    }
    Ok(ManagedIdentity { tags: body.tags.over(&current.tags)?, ..current.clone() })
}
