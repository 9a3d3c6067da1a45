//! `Microsoft.Authorization/roleAssignments`

pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;
pub(super) mod show;
pub(super) mod usage;

use keyless_model::entity::RoleAssignment;
use keyless_model::{AssignmentId, Scope, ScopeKind};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::call::Call;
use crate::failure::Failure;

/// The most assignments of a subscription, with its groups and resources.
const PER_SUBSCRIPTION: usize = 4000;

/// The assignment's name in the path.
fn id(call: &Call) -> Result<AssignmentId, Failure> {
    call.param("name").parse().map_err(|_| {
        let message = format!("The role assignment ID '{}' is not valid. The role assignment ID must be a GUID.", call.param("name"));
        Failure::invalid("InvalidRoleAssignmentId", message)
    })
}

/// Whether the assignment is the caller's tenant's business: by its scope, or - at the root, which one process has for several
/// tenants - by its principal.
fn is_ours(call: &Call, snapshot: &Snapshot, row: &RoleAssignment) -> bool {
    let container = match row.scope.kind() {
        ScopeKind::ManagementGroup => snapshot.management_group(row.scope.name()).map(|group| group.tenant),
        _ => row.scope.subscription_id().and_then(|id| snapshot.subscription(id)).map(|row| row.tenant),
    };
    container.or_else(|| snapshot.principal(row.principal).map(|principal| principal.tenant)) == Some(call.tenant())
}

/// The assignment that the path names.
fn named(call: &Call, snapshot: &Snapshot) -> Result<Option<RoleAssignment>, Failure> {
    let row = snapshot.policy().assignment(id(call)?);
    Ok(row.filter(|row| row.scope == call.scope && is_ours(call, snapshot, row)))
}

/// The assignment as ARM shows it to a question at `asked`. The role's id is qualified like the ones in the list of roles at that
/// scope: `az` compares the two as text.
fn shape(row: &RoleAssignment, asked: &Scope) -> Value {
    let qualified = if asked.subscription_id().is_some() { asked } else { &row.scope };
    let prefix = if row.scope == Scope::root() { "" } else { row.scope.as_str() };
    json!({
        "id": format!("{prefix}/providers/Microsoft.Authorization/roleAssignments/{}", row.id),
        "name": row.id,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": qualified.role_definition_id(row.role),
            "principalId": row.principal,
            "principalType": row.principal_type,
            "scope": row.scope,
            "condition": row.condition,
            "conditionVersion": row.condition.as_ref().map(|_| "2.0"),
            "description": row.description,
            "createdOn": row.created.rfc3339(),
            "updatedOn": row.updated.rfc3339(),
            "createdBy": row.created_by,
            // Who changed a condition or description later is in the activity log.
            "updatedBy": row.created_by.filter(|_| row.created == row.updated),
            "delegatedManagedIdentityResourceId": Value::Null,
        },
    })
}
