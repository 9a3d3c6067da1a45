//! Role definitions, role assignments and deny assignments, as ARM has them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::PrincipalKind;
use crate::{AssignmentId, DenyAssignmentId, ObjectId, RoleId, Scope, Timestamp};

/// Who made a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleKind {
    BuiltInRole,
    CustomRole,
}

/// One block of permissions. Patterns are `Company.Provider/type/…/action` with `*` anywhere, compared without case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    #[serde(default)]
    pub actions: Vec<String>,
    #[serde(default)]
    pub not_actions: Vec<String>,
    #[serde(default)]
    pub data_actions: Vec<String>,
    #[serde(default)]
    pub not_data_actions: Vec<String>,
    /// Holds for the whole block; some built-in roles delegate with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// A role: named permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleDefinition {
    pub id: RoleId,
    pub role_name: String,
    pub description: String,
    pub role_kind: RoleKind,
    pub permissions: Vec<Permissions>,
    pub assignable_scopes: Vec<Scope>,
    pub created: Timestamp,
    pub updated: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<ObjectId>,
}

impl RoleDefinition {
    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}

/// A role given to a principal at a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleAssignment {
    pub id: AssignmentId,
    pub scope: Scope,
    pub role: RoleId,
    pub principal: ObjectId,
    /// `User`, `Group` or `ServicePrincipal`, as ARM shows it.
    pub principal_type: String,
    /// ABAC condition (version 2.0); only kept when it was understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<ObjectId>,
}

impl RoleAssignment {
    /// `role` for `principal` at `scope`, without a condition.
    #[must_use]
    pub fn new(id: AssignmentId, scope: Scope, role: RoleId, (principal, kind): (ObjectId, PrincipalKind), now: Timestamp) -> Self {
        let principal_type = kind.arm_name().to_owned();
        Self {
            id,
            scope,
            role,
            principal,
            principal_type,
            condition: None,
            description: None,
            created: now,
            updated: now,
            created_by: None,
        }
    }

    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}

/// Whom a deny assignment names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DenyPrincipal {
    /// ARM's zero GUID of type `SystemDefined`.
    Everyone,
    /// A principal or a group.
    Object(ObjectId),
}

/// A block that wins over every assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DenyAssignment {
    pub id: DenyAssignmentId,
    pub name: String,
    pub description: String,
    pub scope: Scope,
    /// When true, the block holds at `scope` itself only.
    pub do_not_apply_to_child_scopes: bool,
    pub permissions: Vec<Permissions>,
    pub principals: BTreeSet<DenyPrincipal>,
    pub exclude_principals: BTreeSet<ObjectId>,
    pub created: Timestamp,
}

impl DenyAssignment {
    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}
