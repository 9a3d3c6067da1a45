//! `POST …/userAssignedIdentities/{name}/listAssociatedResources`: the hosts and accounts that carry the identity, as far as the
//! caller may read them.

use keyless_model::Scope;
use serde_json::{Value, json};

use super::find;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let identity = find(snapshot, &call.scope)?;
    let root = Scope::root();
    let hosts = snapshot.hosts_below(&root).filter(|row| row.identity.user.contains(&identity.scope)).map(|row| &row.scope);
    let accounts = snapshot.accounts_below(&root).filter(|row| row.deleted.is_none() && row.identity.user.contains(&identity.scope));
    let carriers = hosts.chain(accounts.map(|row| &row.scope)).filter(|scope| may_read(call, scope));
    let value: Vec<Value> = carriers.map(|scope| shape(call, scope)).collect();
    Ok(Reply::ok(json!({ "totalCount": value.len(), "value": value })))
}

fn may_read(call: &Call, scope: &Scope) -> bool {
    scope.resource_type().is_some_and(|kind| call.may(&call.snapshot, &format!("{kind}/read"), scope))
}

fn shape(call: &Call, scope: &Scope) -> Value {
    let subscription = scope.subscription_id();
    json!({
        "id": scope,
        "name": scope.name(),
        "type": scope.resource_type(),
        "resourceGroup": scope.resource_group(),
        "subscriptionId": subscription,
        "subscriptionDisplayName": subscription.and_then(|id| call.snapshot.subscription(id)).map(|row| row.display_name.clone()),
    })
}
