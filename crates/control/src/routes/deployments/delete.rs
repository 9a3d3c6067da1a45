//! `DELETE …/deployments/{name}`: the deployment, and what was granted on it alone.

use keyless_directory::plan::removal;
use keyless_model::entity::{Entity, Mutation};

use super::{find, shape};
use crate::answer::Reply;
use crate::arm::precondition;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    if find(&call.snapshot, &call.scope).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let current = find(snapshot, &call.scope)?;
        precondition::check(&call.headers, Some(current.version))?;
        let mut mutations = vec![Mutation::Delete(Entity::from(current.clone()).key())];
        mutations.extend(removal::at_and_below(snapshot, &current.scope));
        Ok((Plan::new(mutations, Some(shape(current)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
