//! `PUT /providers/Microsoft.Management/managementGroups/{name}/subscriptions/{id}`
//!
//! SECURITY: whoever holds a role at the group then holds it in the subscription, so the caller must be able to assign roles there
//! already (else a group's administrator could take over any subscription).

use keyless_model::Scope;
use keyless_model::entity::{Mutation, Subscription};
use keyless_rbac::Attributes;
use serde_json::json;

use super::{entry, find, scope_of, subscription};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::provision::administrators;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let (snapshot, row) = call
        .commit(|snapshot| {
            let group = find(call, snapshot, call.param("name"))?;
            let row = subscription(call, snapshot)?;
            require_ownership(call, snapshot, row)?;
            if let Some(old) = &row.management_group {
                let action = "Microsoft.Management/managementGroups/subscriptions/delete";
                call.ask(snapshot, action, &scope_of(old)?, Attributes::NONE).map_err(|denial| call.unauthorized(*denial))?;
            }
            let next = Subscription { management_group: Some(group.name.clone()), ..row.clone() };
            let before = json!({ "subscriptionId": row.id, "managementGroup": row.management_group });
            let after = json!({ "subscriptionId": row.id, "managementGroup": next.management_group });
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(before), Some(after)), next))
        })
        .await?;
    Ok(Reply::ok(entry(find(call, &snapshot, call.param("name"))?, &row)))
}

pub(super) fn require_ownership(call: &Call, snapshot: &keyless_store::Snapshot, row: &Subscription) -> Result<(), Failure> {
    let scope = Scope::subscription(row.id);
    if administrators::could_assign_owner(snapshot, call.me(), &scope).is_some() {
        return Ok(());
    }
    let action = "Microsoft.Authorization/roleAssignments/write";
    match call.ask(snapshot, action, &scope, Attributes::NONE) {
        Ok(_) => {
            Err(Failure::forbidden("AuthorizationFailed", format!("Moving '{scope}' needs the unconditional right to assign roles there.")))
        }
        Err(denial) => Err(call.unauthorized(*denial)),
    }
}
