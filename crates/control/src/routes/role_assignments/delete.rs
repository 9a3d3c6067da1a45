//! `DELETE {scope}/…/roleAssignments/{guid}`: 200 with what was deleted, 204 when there was nothing.

use keyless_model::entity::{Entity, Mutation};
use keyless_rbac::{AttributeSource, Attributes};
use keyless_store::Snapshot;

use super::{named, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

/// What conditions of the caller's own assignments look at: the assignment that is about to go.
pub(in crate::routes) fn attributes(call: &Call, snapshot: &Snapshot) -> Result<Attributes, Failure> {
    Ok(named(call, snapshot)?.map_or_else(Attributes::default, |row| Attributes::role_assignment(AttributeSource::Resource, &row)))
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    if named(call, &call.snapshot)?.is_none() {
        return Ok(Reply::no_content());
    }
    let (_, shown) = call
        .commit(|snapshot| {
            // Gone since: someone else deleted it first.
            let Some(row) = named(call, snapshot)? else { return Ok((Plan::new(Vec::new(), None, None).unanswered(), None)) };
            let shown = shape(&row, &call.scope);
            Ok((Plan::new(vec![Mutation::Delete(Entity::from(row).key())], Some(shown.clone()), None), Some(shown)))
        })
        .await?;
    Ok(shown.map_or_else(Reply::no_content, Reply::ok))
}
