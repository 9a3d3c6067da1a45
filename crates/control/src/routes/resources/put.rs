//! `PUT {id}`

use keyless_model::entity::{GenericResource, Mutation};

use super::body::Body;
use super::{require_generic, shape};
use crate::answer::Reply;
use crate::arm::within;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::routes::locations;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    require_generic(&call.scope)?;
    let body: Body = call.json()?;
    let (_, (new, resource)) = call
        .commit(|snapshot| {
            let scope = within::in_group(snapshot, &call.scope)?;
            let current = snapshot.resource(&scope);
            let location = body.location.as_deref().or(current.map(|row| row.location.as_str()));
            let next = GenericResource {
                location: locations::wished(call, location, None)?,
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
pub(super) fn audited(resource: &GenericResource) -> serde_json::Value {
    let mut shown = shape(resource);
    for (name, value) in shown.as_object_mut().into_iter().flatten() {
        if resource.body.get(name).is_some() {
            *value = "(kept, not shown)".into();
        }
    }
    shown
}
