//! `Microsoft.Authorization/permissions`: what the caller may do somewhere.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::route::{ANYWHERE, Route};
use crate::routes::role_definitions;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::own(ANYWHERE, "/providers/Microsoft.Authorization/permissions", list)]
}

/// `GET {scope}/…/permissions`: the permissions of every role that the caller holds there, its groups' included. A caller learns of
/// its own rights only, so no right is asked; and nothing about the scope, so it need not exist.
async fn list(call: Arc<Call>) -> Result<Reply, Failure> {
    let policy = call.snapshot.policy();
    let chain = policy.scope_chain(&call.scope);
    let holders = policy.groups_of(call.me()).into_iter().chain([call.me()]);
    let held = holders.flat_map(|id| policy.assignments_of(id)).filter(|row| chain.contains(&row.scope));
    let mut roles: Vec<_> = held.map(|row| row.role).collect();
    roles.sort_unstable();
    roles.dedup();
    let blocks: Vec<Value> = roles
        .into_iter()
        .filter_map(|id| policy.role(id))
        .flat_map(|role| role.permissions.iter().map(role_definitions::permission))
        .collect();
    Ok(Reply::ok(json!({ "value": blocks })))
}
