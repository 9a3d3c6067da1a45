//! `Microsoft.Authorization/roleDefinitions`

pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;
pub(super) mod show;

use keyless_model::entity::{Permissions, RoleDefinition, RoleKind};
use keyless_model::{RoleId, Scope};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::call::Call;
use crate::failure::Failure;

/// The role definition's name in the path.
fn id(call: &Call) -> Result<RoleId, Failure> {
    call.param("name").parse().map_err(|_| {
        let message = format!("The role definition ID '{}' is not valid. The role definition ID must be a GUID.", call.param("name"));
        Failure::invalid("InvalidRoleDefinitionId", message)
    })
}

pub(super) fn missing(id: RoleId) -> Failure {
    Failure::not_found(
        "RoleDefinitionDoesNotExist",
        format!("The specified role definition with ID '{}' does not exist.", id.uuid().simple()),
    )
}

/// Whether the role can be assigned at `scope`: built-in roles everywhere, custom ones at their assignable scopes and below.
pub(super) fn is_assignable(snapshot: &Snapshot, role: &RoleDefinition, scope: &Scope) -> bool {
    if role.role_kind == RoleKind::BuiltInRole {
        return true;
    }
    let chain = snapshot.policy().scope_chain(scope);
    role.assignable_scopes.iter().any(|assignable| chain.contains(assignable))
}

/// Whether a question at `scope` may see the role: it is assignable there, or somewhere below - in the caller's own tenant.
fn is_visible(call: &Call, role: &RoleDefinition) -> bool {
    let own = |assignable: &Scope| match assignable.subscription_id() {
        Some(id) => call.snapshot.subscription(id).is_some_and(|row| row.tenant == call.tenant()),
        None => call.snapshot.management_group(assignable.name()).is_some_and(|row| row.tenant == call.tenant()),
    };
    is_assignable(&call.snapshot, role, &call.scope)
        || role.assignable_scopes.iter().any(|assignable| call.scope.covers(assignable) && own(assignable))
}

/// A block of a role's permissions.
pub(super) fn permission(block: &Permissions) -> Value {
    let mut shown = json!({
        "actions": block.actions,
        "notActions": block.not_actions,
        "dataActions": block.data_actions,
        "notDataActions": block.not_data_actions,
    });
    if let Some(condition) = &block.condition {
        shown["condition"] = condition.as_str().into();
        shown["conditionVersion"] = "2.0".into();
    }
    shown
}

/// The role as ARM shows it to a question at `scope`. The id is always qualified with the subscription where there is one: `az`
/// compares it as text with the ids in assignments.
fn shape(role: &RoleDefinition, scope: &Scope) -> Value {
    let permissions: Vec<Value> = role.permissions.iter().map(permission).collect();
    json!({
        "id": scope.role_definition_id(role.id),
        "name": role.id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.role_name,
            "type": match role.role_kind {
                RoleKind::BuiltInRole => "BuiltInRole",
                RoleKind::CustomRole => "CustomRole",
            },
            "description": role.description,
            "assignableScopes": role.assignable_scopes,
            "permissions": permissions,
            "createdOn": role.created.rfc3339(),
            "updatedOn": role.updated.rfc3339(),
            "createdBy": Value::Null,
            "updatedBy": role.updated_by,
        },
    })
}
