//! `PUT …/federatedIdentityCredentials/{name}`

use keyless_directory::plan::federation::{self, Wished};
use keyless_model::entity::Mutation;
use serde::Deserialize;

use super::{find, owner, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

#[derive(Deserialize)]
struct Body {
    properties: Wished,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let (_, (new, credential)) = call
        .commit(|snapshot| {
            let owner = owner(call, snapshot)?;
            let current = find(snapshot, &owner, call.scope.name());
            let means = call.means();
            let trusted = &call.control.config.trusted_issuers;
            let next = federation::plan(snapshot, owner.clone(), call.scope.name(), &body.properties, trusted, means)?;
            Ok((Plan::new(vec![Mutation::put(next.clone())], current.map(shape), Some(shape(&next))), (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&credential)))
}
