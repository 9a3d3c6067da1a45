//! `PUT /providers/Microsoft.Management/managementGroups/{name}/subscriptions/{id}`
//!
//! SECURITY: whoever holds a role at the group then holds it in the subscription: `arm::inheritance` asks for what that takes.

use keyless_model::entity::{Mutation, Subscription};
use serde_json::json;

use super::{entry, find, subscription};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let (snapshot, row) = call
        .commit(|snapshot| {
            let group = find(call, snapshot, call.param("name"))?;
            let row = subscription(call, snapshot)?;
            let next = Subscription { management_group: Some(group.name.clone()), ..row.clone() };
            let before = json!({ "subscriptionId": row.id, "managementGroup": row.management_group });
            let after = json!({ "subscriptionId": row.id, "managementGroup": next.management_group });
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(before), Some(after)), next))
        })
        .await?;
    Ok(Reply::ok(entry(find(call, &snapshot, call.param("name"))?, &row)))
}
