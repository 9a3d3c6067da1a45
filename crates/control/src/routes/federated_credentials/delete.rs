//! `DELETE …/federatedIdentityCredentials/{name}`

use keyless_model::entity::{Entity, Mutation};

use super::{find, missing, owner, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let known = owner(call, &call.snapshot)?;
    if find(&call.snapshot, &known, call.scope.name()).is_none() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let owner = owner(call, snapshot)?;
        let current = find(snapshot, &owner, call.scope.name()).ok_or_else(|| missing(&call.scope))?;
        let mutations = vec![Mutation::Delete(Entity::from(current.clone()).key())];
        Ok((Plan::new(mutations, Some(shape(current)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
