//! `DELETE {id}`

use keyless_directory::plan::removal;
use keyless_model::entity::{Entity, Mutation};

use super::put::audited;
use super::{find, require_generic};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    require_generic(&call.scope)?;
    if find(&call.snapshot, &call.scope).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        find(snapshot, &call.scope)?;
        let below = snapshot.resources_below(&call.scope);
        let mut mutations: Vec<Mutation> = below.map(|row| Mutation::Delete(Entity::from(row.as_ref().clone()).key())).collect();
        mutations.extend(removal::at_and_below(snapshot, &call.scope));
        Ok((Plan::new(mutations, snapshot.resource(&call.scope).map(|row| audited(row)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
