//! What every decision is made from: roles, assignments, groups and the tree of scopes, compiled and immutable in use.

use keyless_model::entity::{DenyAssignment, RoleAssignment, RoleDefinition};
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope};
use keyless_model::entity::Mutation;

use crate::{Because, Decision, Effect, Request};

/// The compiled policy. Cloning is cheap: clones share everything that neither has changed.
#[derive(Debug, Clone, Default)]
pub struct Policy {}

impl Policy {
    /// Follows one change of the directory.
    pub fn apply(&mut self, mutation: &Mutation) {
        let _ = mutation;
    }

    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        Decision::new(Effect::Deny, Because::NoAssignment, request)
    }

    #[must_use]
    pub fn groups_of(&self, principal: ObjectId) -> Vec<ObjectId> {
        let _ = principal;
        Vec::new()
    }

    #[must_use]
    pub fn role(&self, id: RoleId) -> Option<&RoleDefinition> {
        let _ = id;
        None
    }

    pub fn roles(&self) -> impl Iterator<Item = &RoleDefinition> {
        std::iter::empty()
    }

    /// By value: the policy keeps assignments in a compact form.
    #[must_use]
    pub fn assignment(&self, id: AssignmentId) -> Option<RoleAssignment> {
        let _ = id;
        None
    }

    pub fn assignments(&self) -> impl Iterator<Item = RoleAssignment> {
        std::iter::empty()
    }

    pub fn assignments_of(&self, principal: ObjectId) -> impl Iterator<Item = RoleAssignment> {
        let _ = principal;
        std::iter::empty()
    }

    pub fn assignments_at_or_above(&self, scope: &Scope) -> impl Iterator<Item = RoleAssignment> {
        let _ = scope;
        std::iter::empty()
    }

    pub fn assignments_below(&self, scope: &Scope) -> impl Iterator<Item = RoleAssignment> {
        let _ = scope;
        std::iter::empty()
    }

    pub fn deny_assignments(&self) -> impl Iterator<Item = &DenyAssignment> {
        std::iter::empty()
    }

    #[must_use]
    pub fn scope_chain(&self, scope: &Scope) -> Vec<Scope> {
        vec![scope.clone()]
    }
}
