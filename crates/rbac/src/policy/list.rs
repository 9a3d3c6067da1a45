//! Listings for the control plane and for explanations. Not on the path of a decision.

use keyless_model::entity::RoleAssignment;
use keyless_model::{ObjectId, Scope, ScopeKind};

use super::{Policy, Shelf};

impl Policy {
    /// The groups that hold the principal, directly and through other groups; nearest first, each once.
    #[must_use]
    pub fn groups_of(&self, principal: ObjectId) -> Vec<ObjectId> {
        self.circle(self.member(principal)).iter().skip(1).map(|member| member.id).collect()
    }

    /// The assignments made to exactly this principal or group, by id.
    pub fn assignments_of(&self, principal: ObjectId) -> impl Iterator<Item = RoleAssignment> {
        let grants = self.subject(principal).map(|subject| subject.grants.all()).unwrap_or_default();
        grants.into_iter().map(|grant| grant.document())
    }

    /// The assignments made at exactly this scope, by id.
    pub fn assignments_at(&self, scope: &Scope) -> impl Iterator<Item = RoleAssignment> {
        self.shelves.get(scope).into_iter().flat_map(Shelf::iter).map(|grant| grant.document())
    }

    /// The assignments that hold at the scope: made there or above, management groups and the root included; nearest first.
    pub fn assignments_at_or_above(&self, scope: &Scope) -> impl Iterator<Item = RoleAssignment> {
        self.scope_chain(scope).into_iter().flat_map(|scope| self.assignments_at(&scope).collect::<Vec<_>>())
    }

    /// The assignments made below the scope, not at it; for a management group, in its groups and subscriptions too. In order of
    /// scope.
    pub fn assignments_below(&self, scope: &Scope) -> impl Iterator<Item = RoleAssignment> {
        // Everything is below the root already; a management group's containers are elsewhere in the ids.
        let containers: Vec<Scope> = match scope.kind() {
            ScopeKind::ManagementGroup => self.tree.below(scope).filter_map(|folded| folded.parse().ok()).collect(),
            _ => Vec::new(),
        };
        let within = containers.into_iter().flat_map(|container| {
            let at: Vec<RoleAssignment> = self.assignments_at(&container).collect();
            at.into_iter().chain(self.within(container))
        });
        self.within(scope.clone()).chain(within)
    }

    /// The assignments strictly below the scope by id. In order of folded text all that start alike lie together.
    fn within(&self, scope: Scope) -> impl Iterator<Item = RoleAssignment> {
        let prefix = scope.folded().to_owned();
        self.shelves
            .range::<_, Scope>(&scope..)
            .take_while(move |(known, _)| known.folded().starts_with(&prefix))
            .filter(move |(known, _)| ***known != scope && scope.covers(known))
            .flat_map(|(_, shelf)| shelf.iter())
            .map(|grant| grant.document())
    }
}
