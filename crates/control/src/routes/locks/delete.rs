//! `DELETE {scope}/…/locks/{name}`

use keyless_model::entity::{Entity, Mutation};

use super::{find, missing, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let name = call.param("name");
    if find(&call.snapshot, &call.scope, name).is_none() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let lock = find(snapshot, &call.scope, name).ok_or_else(|| missing(name))?;
        Ok((Plan::new(vec![Mutation::Delete(Entity::from(lock.clone()).key())], Some(shape(lock)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
