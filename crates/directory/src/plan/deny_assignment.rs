//! Deny assignments. On Azure the system makes them, for deployment stacks; here the owner of the system does.

use std::collections::BTreeSet;

use keyless_model::entity::{DenyAssignment, DenyPrincipal, Mutation, Permissions};
use keyless_model::name;
use keyless_model::{DenyAssignmentId, ObjectId, Scope, Timestamp};
use serde::Deserialize;

use crate::Snapshot;
use crate::invariant::scopes;

/// Every one is looked at when a decision is made at its scope or below.
const MOST: usize = 1_000;
/// Principals that one names or excludes.
const MAX_PRINCIPALS: usize = 100;
const MAX_TEXT: usize = 512;
/// Azure's id for everybody.
const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

/// A deny assignment to be, in ARM's shape.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDenyAssignment {
    /// Of the one to be replaced.
    #[serde(default)]
    pub name: Option<DenyAssignmentId>,
    pub properties: Properties,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Properties {
    pub deny_assignment_name: String,
    #[serde(default)]
    pub description: String,
    pub scope: Scope,
    #[serde(default)]
    pub do_not_apply_to_child_scopes: bool,
    pub permissions: Vec<Permissions>,
    pub principals: Vec<Named>,
    #[serde(default)]
    pub exclude_principals: Vec<Named>,
}

/// A principal; its type is what the directory says.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    pub id: String,
}

/// Why a deny assignment is not made or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DenyRefused {
    #[error("{0}")]
    Invalid(String),
    #[error("there is no deny assignment {0}")]
    Unknown(DenyAssignmentId),
    #[error("there can be no more than {MOST} deny assignments; remove some first")]
    TooMany,
}

fn invalid(message: impl Into<String>) -> DenyRefused {
    DenyRefused::Invalid(message.into())
}

/// Makes a deny assignment, or replaces one; `fresh` is the id of a new one. What it was before comes with it.
///
/// # Errors
/// When it would not forbid what it says.
pub fn put(
    snapshot: &Snapshot,
    new: &NewDenyAssignment,
    fresh: DenyAssignmentId,
    now: Timestamp,
) -> Result<(Option<DenyAssignment>, DenyAssignment, Vec<Mutation>), DenyRefused> {
    let wanted = &new.properties;
    let before = match new.name {
        Some(id) => Some(snapshot.policy().deny_assignment(id).ok_or(DenyRefused::Unknown(id))?.clone()),
        None if snapshot.policy().deny_assignments().count() >= MOST => return Err(DenyRefused::TooMany),
        None => None,
    };
    if before.as_ref().is_some_and(|before| before.scope != wanted.scope) {
        return Err(invalid("the scope of a deny assignment cannot be changed; make another one"));
    }
    name::display(&wanted.deny_assignment_name, "a deny assignment", 256).map_err(|error| invalid(error.to_string()))?;
    if wanted.description.chars().count() > MAX_TEXT {
        return Err(invalid("the description is longer than 512 characters; shorten it"));
    }
    // SECURITY: one that forbids nothing, or nobody, or nowhere, would be trusted all the same.
    if !scopes::exists(snapshot, &wanted.scope) {
        return Err(invalid(format!("the scope '{}' does not exist; name one that does", wanted.scope)));
    }
    let [permissions] = wanted.permissions.as_slice() else {
        return Err(invalid("a deny assignment has exactly one block of permissions"));
    };
    keyless_rbac::validate_permissions(permissions).map_err(|error| invalid(error.to_string()))?;
    let mut principals = BTreeSet::new();
    for named in &wanted.principals {
        principals.insert(if named.id == EVERYONE { DenyPrincipal::Everyone } else { DenyPrincipal::Object(known(snapshot, named)?) });
    }
    let exclude_principals = wanted.exclude_principals.iter().map(|named| known(snapshot, named)).collect::<Result<BTreeSet<_>, _>>()?;
    if principals.is_empty() || principals.len() > MAX_PRINCIPALS || exclude_principals.len() > MAX_PRINCIPALS {
        return Err(invalid("name 1 to 100 principals, and exclude at most 100; groups stand for more"));
    }
    if principals.contains(&DenyPrincipal::Everyone) && exclude_principals.is_empty() {
        return Err(invalid("one for everybody must exclude somebody: name who may still act in excludePrincipals"));
    }
    let row = DenyAssignment {
        id: new.name.unwrap_or(fresh),
        name: wanted.deny_assignment_name.clone(),
        description: wanted.description.clone(),
        scope: wanted.scope.clone(),
        do_not_apply_to_child_scopes: wanted.do_not_apply_to_child_scopes,
        permissions: wanted.permissions.clone(),
        principals,
        exclude_principals,
        created: before.as_ref().map_or(now, |before| before.created),
    };
    let mutations = vec![Mutation::put(row.clone())];
    Ok((before, row, mutations))
}

/// Removes a deny assignment.
///
/// # Errors
/// When there is none such.
pub fn remove(snapshot: &Snapshot, id: DenyAssignmentId) -> Result<(DenyAssignment, Vec<Mutation>), DenyRefused> {
    let row = snapshot.policy().deny_assignment(id).ok_or(DenyRefused::Unknown(id))?.clone();
    let key = Mutation::put(row.clone()).key();
    Ok((row, vec![Mutation::Delete(key)]))
}

fn known(snapshot: &Snapshot, named: &Named) -> Result<ObjectId, DenyRefused> {
    let id = named.id.parse::<ObjectId>().ok().filter(|id| snapshot.principal(*id).is_some());
    id.ok_or_else(|| invalid(format!("the directory has no principal '{}'; give an object id", named.id)))
}
