//! `Microsoft.Management/managementGroups`: containers of subscriptions. What is granted at one holds in every subscription below.

pub(super) mod add_subscription;
pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;
pub(super) mod remove_subscription;
pub(super) mod show;

use keyless_model::Scope;
use keyless_model::entity::{ManagementGroup, Subscription};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::call::Call;
use crate::failure::Failure;

fn scope_of(name: &str) -> Result<Scope, Failure> {
    Scope::management_group(name).map_err(|error| Failure::invalid("InvalidManagementGroup", error.to_string()))
}

/// The group of that name in the caller's own tenant.
fn find<'a>(call: &Call, snapshot: &'a Snapshot, name: &str) -> Result<&'a ManagementGroup, Failure> {
    let found = snapshot.management_group(name).map(AsRef::as_ref).filter(|group| group.tenant == call.tenant());
    found.ok_or_else(|| Failure::not_found("NotFound", format!("The management group '{name}' cannot be found.")))
}

/// The subscription that the path names, in the caller's own tenant.
fn subscription<'a>(call: &Call, snapshot: &'a Snapshot) -> Result<&'a Subscription, Failure> {
    let id = call.param("subscription");
    let found = id.parse().ok().and_then(|id| snapshot.subscription(id)).map(AsRef::as_ref);
    found.filter(|row| row.tenant == call.tenant()).ok_or_else(|| Failure::no_subscription(id))
}

fn shape(group: &ManagementGroup) -> Value {
    let parent =
        group.parent.as_ref().map(|name| json!({ "id": format!("/providers/Microsoft.Management/managementGroups/{name}"), "name": name }));
    json!({
        "id": format!("/providers/Microsoft.Management/managementGroups/{}", group.name),
        "name": group.name,
        "type": "Microsoft.Management/managementGroups",
        "properties": { "tenantId": group.tenant, "displayName": group.display_name, "details": { "parent": parent } },
    })
}

/// A subscription as the answer to its being put below a group.
fn entry(group: &ManagementGroup, subscription: &Subscription) -> Value {
    json!({
        "id": format!("/providers/Microsoft.Management/managementGroups/{}/subscriptions/{}", group.name, subscription.id),
        "name": subscription.id,
        "type": "Microsoft.Management/managementGroups/subscriptions",
        "properties": {
            "tenant": subscription.tenant,
            "displayName": subscription.display_name,
            "parent": { "id": format!("/providers/Microsoft.Management/managementGroups/{}", group.name) },
            "state": "Active",
        },
    })
}
