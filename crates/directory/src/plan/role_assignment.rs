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
    let entity = RoleAssignment {
        id: AssignmentId::new(means.entropy.uuid()),
        scope,
        role,
        principal: principal.id,
        principal_type: principal.kind.arm_name().to_owned(),
        condition: None,
        description: None,
        created: means.now,
        updated: means.now,
        created_by: by,
    };
    Planned { mutations: vec![Mutation::put(entity.clone())], entity }
}
