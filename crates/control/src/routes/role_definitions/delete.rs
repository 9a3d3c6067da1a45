//! `DELETE {scope}/…/roleDefinitions/{guid}`

use keyless_model::entity::{Entity, Mutation, RoleKind};
use keyless_rbac::Attributes;

use super::{id, is_visible, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

const DELETE: &str = "Microsoft.Authorization/roleDefinitions/delete";

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let id = id(call)?;
    let known = call.snapshot.policy().role(id).filter(|role| is_visible(call, role));
    if known.is_none() {
        return Ok(Reply::no_content());
    }
    let (_, shown) = call
        .commit(|snapshot| {
            let role = snapshot.policy().role(id).ok_or_else(|| super::missing(id))?;
            if role.role_kind == RoleKind::BuiltInRole {
                return Err(Failure::forbidden("RoleDefinitionDeleteNotPermitted", "Built-in roles cannot be deleted."));
            }
            for scope in &role.assignable_scopes {
                call.ask(snapshot, DELETE, scope, Attributes::NONE).map_err(|denial| call.unauthorized(*denial))?;
            }
            if snapshot.policy().assignments().any(|row| row.role == id) {
                let message =
                    "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments). Delete them first.";
                return Err(Failure::invalid("RoleDefinitionHasAssignments", message));
            }
            let shown = shape(role, &call.scope);
            Ok((Plan::new(vec![Mutation::Delete(Entity::from(role.clone()).key())], Some(shown.clone()), None), shown))
        })
        .await?;
    Ok(Reply::ok(shown))
}
