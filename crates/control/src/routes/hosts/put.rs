//! `PUT` and `PATCH …/virtualMachines/{name}`: a host, and the identities on it.

use http::Method;
use keyless_model::entity::{AssignedIdentities, Host, Mutation};
use keyless_model::name;
use serde::Deserialize;

use super::shape;
use crate::answer::Reply;
use crate::arm::identity::{self, IdentityBody};
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
    identity: Option<IdentityBody>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let patch = call.method == Method::PATCH;
    name::host(call.scope.name()).map_err(|error| Failure::invalid("InvalidResourceName", error.to_string()))?;
    let (snapshot, (new, host)) = call
        .commit(|snapshot| {
            let scope = within::in_group(snapshot, &call.scope)?;
            let current = snapshot.host(&scope);
            let mut next = match current {
                Some(current) => current.as_ref().clone(),
                None if patch => return Err(Failure::no_such(&scope)),
                None => Host {
                    scope,
                    location: locations::wished(call, body.location.as_deref(), None)?,
                    identity: AssignedIdentities::default(),
                    tags: Default::default(),
                    created: call.ctx.now,
                },
            };
            next.tags = body.tags.over(&next.tags)?;
            let mut mutations = Vec::new();
            if let Some(block) = &body.identity {
                let wish = block.wish(&next.identity, patch)?;
                (next.identity, mutations) = identity::change(call, snapshot, (&next.scope, &next.location), &next.identity, &wish)?;
            }
            mutations.push(Mutation::put(next.clone()));
            let after = snapshot.with(snapshot.revision(), &mutations);
            let plan = Plan::new(mutations, current.map(|row| shape(snapshot, row)), Some(shape(&after, &next)));
            Ok((plan, (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&snapshot, &host)))
}
