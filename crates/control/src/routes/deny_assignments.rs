//! `Microsoft.Authorization/denyAssignments`: read only, as on Azure, where only the system makes them; the owner does here.

pub(super) mod list;
pub(super) mod show;

use keyless_model::ObjectId;
use keyless_model::entity::{DenyAssignment, DenyPrincipal};
use keyless_store::Snapshot;
use serde_json::{Value, json};

fn shape(snapshot: &Snapshot, row: &DenyAssignment) -> Value {
    let kind = |id: ObjectId| snapshot.principal(id).map_or("ServicePrincipal", |principal| principal.kind.arm_name());
    let principals: Vec<Value> = row
        .principals
        .iter()
        .map(|principal| match principal {
            DenyPrincipal::Everyone => json!({ "id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined" }),
            DenyPrincipal::Object(id) => json!({ "id": id, "type": kind(*id) }),
        })
        .collect();
    let excluded: Vec<Value> = row.exclude_principals.iter().map(|id| json!({ "id": id, "type": kind(*id) })).collect();
    let prefix = row.scope.as_str().trim_end_matches('/');
    json!({
        "id": format!("{prefix}/providers/Microsoft.Authorization/denyAssignments/{}", row.id),
        "name": row.id,
        "type": "Microsoft.Authorization/denyAssignments",
        "properties": {
            "denyAssignmentName": row.name,
            "description": row.description,
            "permissions": row.permissions,
            "scope": row.scope,
            "doNotApplyToChildScopes": row.do_not_apply_to_child_scopes,
            "principals": principals,
            "excludePrincipals": excluded,
            "isSystemProtected": true,
            "createdOn": row.created.rfc3339(),
        },
    })
}
