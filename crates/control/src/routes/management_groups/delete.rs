//! `DELETE /providers/Microsoft.Management/managementGroups/{name}`: empty groups only.

use keyless_model::entity::{Entity, Mutation};

use super::{find, scope_of, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let name = call.param("name");
    if find(call, &call.snapshot, name).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let group = find(call, snapshot, name)?;
        let inside = |parent: &Option<String>| parent.as_ref().is_some_and(|parent| parent.eq_ignore_ascii_case(&group.name));
        let full = snapshot.management_groups().any(|row| inside(&row.parent))
            || snapshot.subscriptions().any(|row| inside(&row.management_group));
        if full {
            return Err(Failure::invalid(
                "BadRequest",
                "The management group has child resources associated with it. Delete or move them first.",
            ));
        }
        let scope = scope_of(&group.name)?;
        let granted = snapshot.policy().assignments_at(&scope).map(|row| Mutation::Delete(Entity::from(row).key()));
        let mut mutations: Vec<Mutation> = granted.collect();
        mutations.push(Mutation::Delete(Entity::from(group.clone()).key()));
        Ok((Plan::new(mutations, Some(shape(group)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
