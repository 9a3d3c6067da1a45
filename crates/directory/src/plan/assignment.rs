//! Role assignments.

use keyless_model::entity::{Mutation, Principal, RoleAssignment};
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope};

use super::{Means, Planned};

/// `role` for `principal` at `scope`, under a new name.
#[must_use]
pub fn role_assignment(
    scope: Scope,
    role: RoleId,
    principal: &Principal,
    by: Option<ObjectId>,
    means: Means<'_>,
) -> Planned<RoleAssignment> {
    let id = AssignmentId::new(means.entropy.uuid());
    let entity = RoleAssignment { created_by: by, ..RoleAssignment::new(id, scope, role, (principal.id, principal.kind), means.now) };
    Planned { mutations: vec![Mutation::put(entity.clone())], entity }
}
