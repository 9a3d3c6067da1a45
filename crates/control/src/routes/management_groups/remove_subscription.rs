//! `DELETE /providers/Microsoft.Management/managementGroups/{name}/subscriptions/{id}`

use keyless_model::entity::{Mutation, Subscription};
use serde_json::json;

use super::{find, subscription};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let group = find(call, snapshot, call.param("name"))?;
        let row = subscription(call, snapshot)?;
        if !row.management_group.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(&group.name)) {
            return Err(Failure::not_found("NotFound", format!("The subscription is not in the management group '{}'.", group.name)));
        }
        let next = Subscription { management_group: None, ..row.clone() };
        let before = json!({ "subscriptionId": row.id, "managementGroup": row.management_group });
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(json!({ "subscriptionId": row.id }))), ()))
    })
    .await?;
    Ok(Reply::done())
}
