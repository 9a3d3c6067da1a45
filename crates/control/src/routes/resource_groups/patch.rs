//! `PATCH /subscriptions/{id}/resourceGroups/{name}`: tags.

use keyless_model::entity::{Mutation, ResourceGroup};
use serde::Deserialize;

use super::{find, shape};
use crate::answer::Reply;
use crate::arm::tags::TagsBody;
use crate::call::{Call, Plan};
use crate::failure::Failure;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    tags: TagsBody,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let (_, group) = call
        .commit(|snapshot| {
            let current = find(snapshot, &call.scope)?;
            let next = ResourceGroup { tags: body.tags.over(&current.tags)?, ..current.clone() };
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(shape(current)), Some(shape(&next))), next))
        })
        .await?;
    Ok(Reply::ok(shape(&group)))
}
