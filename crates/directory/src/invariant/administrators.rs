//! Nobody may lock everyone out: a subscription that someone can administer keeps someone who can (case 122).

use std::collections::BTreeSet;

use keyless_model::entity::{Entity, EntityKind, Mutation, PrincipalKind};
use keyless_model::{ObjectId, Scope};
use keyless_rbac::{AttributeSource, Attributes, Plane, Request, builtin};

use super::Violation;
use crate::Snapshot;

/// Who may do this without a condition may do everything.
pub(super) const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";

/// Refuses a change after which a subscription that had an administrator has none.
///
/// # Errors
/// [`Violation::LastAdministrator`].
pub fn check(snapshot: &Snapshot, mutations: &[Mutation]) -> Result<(), Violation> {
    if !mutations.iter().any(|mutation| concerns(snapshot, mutation)) {
        return Ok(());
    }
    let next = snapshot.with(snapshot.revision(), mutations);
    for subscription in next.subscriptions() {
        let scope = Scope::subscription(subscription.id);
        if !any(&next, &scope) && any(snapshot, &scope) {
            return Err(Violation::LastAdministrator(scope));
        }
    }
    Ok(())
}

/// Whether a principal could make anyone an Owner at `scope`: the fullest power there is, so whoever has it gains nothing by
/// any other road.
#[must_use]
pub fn could_assign_owner(snapshot: &Snapshot, principal: ObjectId, scope: &Scope) -> Option<keyless_rbac::Permit> {
    let attributes = Attributes::default()
        .with(AttributeSource::Request, "Microsoft.Authorization/roleAssignments:RoleDefinitionId", [builtin::OWNER])
        .with(AttributeSource::Request, "Microsoft.Authorization/roleAssignments:PrincipalId", [principal])
        .with(AttributeSource::Request, "Microsoft.Authorization/roleAssignments:PrincipalType", ["ServicePrincipal"]);
    let request = Request { principal, action: WRITE, plane: Plane::Control, scope, attributes: &attributes };
    snapshot.policy().decide(&request).permit(&request).ok()
}

/// Changes that can take power away. A new assignment only adds.
fn concerns(snapshot: &Snapshot, mutation: &Mutation) -> bool {
    let key = mutation.key();
    match mutation {
        Mutation::Put(entity) if key.kind == EntityKind::RoleAssignment => match &**entity {
            Entity::RoleAssignment(row) => snapshot.policy().assignment(row.id).is_some(),
            _ => true,
        },
        Mutation::Delete(_) => {
            matches!(key.kind, EntityKind::RoleAssignment | EntityKind::Principal | EntityKind::Group | EntityKind::RoleDefinition)
        }
        Mutation::Put(_) => matches!(
            key.kind,
            EntityKind::Principal
                | EntityKind::Group
                | EntityKind::RoleDefinition
                | EntityKind::DenyAssignment
                | EntityKind::Subscription
                | EntityKind::ManagementGroup
        ),
    }
}

/// Whether an enabled principal - no group - could assign roles at `scope`.
fn any(snapshot: &Snapshot, scope: &Scope) -> bool {
    let mut asked = BTreeSet::new();
    let mut holders = snapshot.policy().holders_at_or_above(scope);
    let mut members: Vec<ObjectId> = Vec::new();
    while let Some(id) = members.pop().or_else(|| holders.next()) {
        if !asked.insert(id) {
            continue;
        }
        match snapshot.principal(id) {
            Some(principal) if principal.kind == PrincipalKind::Group => {
                members.extend(snapshot.group(id).into_iter().flat_map(|group| group.members.iter().copied()));
            }
            Some(principal) if principal.enabled && could_assign_owner(snapshot, id, scope).is_some() => return true,
            _ => {}
        }
    }
    false
}
