//! `PATCH {id}`

use keyless_model::entity::Mutation;

use super::body::{Body, merge};
use super::put::audited;
use super::{find, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
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
