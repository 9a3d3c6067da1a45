//! What Azure asks of a custom role before it may be stored.

use keyless_model::entity::{Permissions, RoleDefinition, RoleKind};
use keyless_model::{RoleId, ScopeKind};

use crate::builtin;
use crate::pattern::{MAX_BYTES, is_plain};

const MAX_NAME_BYTES: usize = 512;
const MAX_DESCRIPTION_BYTES: usize = 2048;
const MAX_SCOPES: usize = 2000;
/// Ours, not Azure's: bounds what one role can cost a decision.
const MAX_PATTERNS: usize = 2000;

/// Why a custom role was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    #[error("built-in roles cannot be written; create a custom role")]
    BuiltIn,
    #[error("a built-in role's condition names the id `{0}`: whoever holds that role could assign this one; choose another id")]
    Reserved(RoleId),
    #[error("the role name must have 1 to 512 bytes")]
    Name,
    #[error("the description is longer than 2,048 bytes; shorten it")]
    Description,
    #[error("a custom role has exactly one block of permissions, not {0}")]
    Blocks(usize),
    #[error("these permissions cannot carry a condition; put it on a role assignment")]
    Condition,
    #[error("the permissions name nothing; name at least one action or data action")]
    Empty,
    #[error("the permissions have more than 2,000 action patterns; use wildcards")]
    TooManyPatterns,
    #[error("`{pattern}` in `{list}` is not an action pattern: {why}")]
    Pattern { list: &'static str, pattern: String, why: &'static str },
    #[error("assignableScopes is empty; name at least one subscription, resource group or management group")]
    NoScope,
    #[error("assignableScopes names more than 2,000 scopes")]
    TooManyScopes,
    #[error("`{0}` cannot be an assignable scope of a custom role; name a subscription, resource group or management group")]
    Scope(String),
    #[error("assignableScopes may name one management group only")]
    ManagementGroups,
    #[error("a custom role with dataActions cannot be assigned at management group scope; remove `{0}` from assignableScopes")]
    DataActionsAtManagementGroup(String),
}

/// Checks a custom role by Azure's rules (`azure-docs`, role-based-access-control/custom-roles).
///
/// # Errors
/// The first rule that it breaks.
pub fn validate_custom_role(role: &RoleDefinition) -> Result<(), RoleError> {
    if role.role_kind != RoleKind::CustomRole {
        return Err(RoleError::BuiltIn);
    }
    // SECURITY: conditions of built-in roles name roles of Azure's that do not exist here, and let their holders assign them.
    if builtin::is_named_by_a_condition(role.id) {
        return Err(RoleError::Reserved(role.id));
    }
    if role.role_name.trim().is_empty() || role.role_name.len() > MAX_NAME_BYTES {
        return Err(RoleError::Name);
    }
    if role.description.len() > MAX_DESCRIPTION_BYTES {
        return Err(RoleError::Description);
    }
    let [permissions] = role.permissions.as_slice() else {
        return Err(RoleError::Blocks(role.permissions.len()));
    };
    validate_permissions(permissions)?;
    check_scopes(role, permissions)
}

/// Checks one block of permissions.
///
/// # Errors
/// The first rule that it breaks.
pub fn validate_permissions(permissions: &Permissions) -> Result<(), RoleError> {
    if permissions.condition.is_some() {
        return Err(RoleError::Condition);
    }
    if permissions.actions.is_empty() && permissions.data_actions.is_empty() {
        return Err(RoleError::Empty);
    }
    let lists = [
        ("actions", &permissions.actions),
        ("notActions", &permissions.not_actions),
        ("dataActions", &permissions.data_actions),
        ("notDataActions", &permissions.not_data_actions),
    ];
    if lists.iter().map(|(_, patterns)| patterns.len()).sum::<usize>() > MAX_PATTERNS {
        return Err(RoleError::TooManyPatterns);
    }
    for (list, patterns) in lists {
        for pattern in patterns {
            if let Some(why) = flaw(pattern) {
                return Err(RoleError::Pattern { list, pattern: pattern.chars().take(MAX_BYTES).collect(), why });
            }
        }
    }
    Ok(())
}

/// What is wrong with a pattern, if anything.
fn flaw(pattern: &str) -> Option<&'static str> {
    if pattern.is_empty() {
        return Some("it is empty");
    }
    if pattern.len() > MAX_BYTES {
        return Some("it is longer than 256 bytes");
    }
    if !pattern.bytes().all(|byte| is_plain(byte) || byte == b'*') {
        return Some("it may hold letters, digits and . / - _ * only");
    }
    if pattern == "*" {
        return None;
    }
    if !pattern.contains('/') {
        return Some("it must read `Company.Provider/type/action`, or be `*`");
    }
    if pattern.split('/').any(str::is_empty) {
        return Some("a segment is empty");
    }
    let provider = pattern.split('/').next().unwrap_or_default();
    if !provider.contains('.') && !provider.contains('*') {
        return Some("it must start with `Company.Provider`");
    }
    None
}

fn check_scopes(role: &RoleDefinition, permissions: &Permissions) -> Result<(), RoleError> {
    if role.assignable_scopes.is_empty() {
        return Err(RoleError::NoScope);
    }
    if role.assignable_scopes.len() > MAX_SCOPES {
        return Err(RoleError::TooManyScopes);
    }
    let mut management_group = None;
    for scope in &role.assignable_scopes {
        match scope.kind() {
            ScopeKind::Subscription | ScopeKind::ResourceGroup => {}
            ScopeKind::ManagementGroup if management_group.is_some() => return Err(RoleError::ManagementGroups),
            ScopeKind::ManagementGroup => management_group = Some(scope),
            // Azure keeps `/` for its own roles and takes no resources.
            ScopeKind::Root | ScopeKind::Resource => return Err(RoleError::Scope(scope.to_string())),
        }
    }
    match management_group {
        Some(scope) if !permissions.data_actions.is_empty() => Err(RoleError::DataActionsAtManagementGroup(scope.to_string())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
