//! Listings for the control plane and for explanations. Not on the path of a decision.

use std::ops::Bound;

use keyless_model::entity::RoleAssignment;
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope, ScopeKind};

use super::grant::Grant;
use super::{Arc, Policy, Shelf};

/// Where a reader of [`Policy::assignments_around`] stopped: after assignment `id` at `scope`, in the part of the list that `part`
/// heads. Only a place in an order: whatever is read from there on is the same for everyone who says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub part: Scope,
    pub scope: Scope,
    pub id: AssignmentId,
}

/// A part of a list: the assignments at a scope, or those strictly below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    At,
    Within,
}

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

    /// The scopes below `scope` by id, not `scope` itself, at which the principal or a group that holds it has an assignment. One that has
    /// several assignments is named several times.
    #[must_use]
    pub fn scopes_below_of(&self, principal: ObjectId, scope: &Scope) -> Vec<Scope> {
        let circle = self.circle(self.member(principal));
        let grants = circle.iter().filter_map(|member| member.subject).flat_map(|subject| subject.grants.all());
        grants.filter(|grant| scope.covers(&grant.scope) && *grant.scope != *scope).map(|grant| Scope::clone(&grant.scope)).collect()
    }

    /// The assignments made at exactly this scope, by id.
    pub fn assignments_at(&self, scope: &Scope) -> impl Iterator<Item = RoleAssignment> {
        self.shelves.get(scope).into_iter().flat_map(Shelf::iter).map(|grant| grant.document())
    }

    /// Who holds an assignment at the scope or above it, nearest first; a holder of several is named several times.
    pub fn holders_at_or_above(&self, scope: &Scope) -> impl Iterator<Item = ObjectId> {
        let shelves = self.scope_chain(scope).into_iter().filter_map(|scope| self.shelves.get(&scope));
        shelves.flat_map(|shelf| shelf.iter().map(|grant| grant.principal))
    }

    /// The assignments made below the scope, not at it; for a management group, in its groups and subscriptions too.
    pub fn assignments_below(&self, scope: &Scope) -> impl Iterator<Item = RoleAssignment> {
        let parts = self.parts_below(scope);
        parts.into_iter().flat_map(|(part, extent)| self.part(&part, extent, None)).map(|grant| grant.document())
    }

    /// How many assignments there are at exactly this scope.
    #[must_use]
    pub fn count_at(&self, scope: &Scope) -> usize {
        self.shelves.get(scope).map_or(0, Shelf::len)
    }

    /// How many assignments there are at the scope and below it by id.
    #[must_use]
    pub fn count_at_and_below(&self, scope: &Scope) -> usize {
        self.count_at(scope) + self.shelves_within(scope, None).map(|(_, shelf)| shelf.len()).sum::<usize>()
    }

    /// The assignment of that role to that principal at exactly this scope.
    #[must_use]
    pub fn assigned(&self, scope: &Scope, role: RoleId, principal: ObjectId) -> Option<AssignmentId> {
        let mut at = self.shelves.get(scope)?.iter();
        at.find(|grant| grant.role == role && grant.principal == principal).map(|grant| grant.id)
    }

    /// The assignments at the scope, above it and - on wish - below it, from `after` on, each with the part of the list that holds
    /// it. Always in the same order, and finding the start costs O(log n): a list read page by page costs what it shows.
    pub fn assignments_around(
        &self,
        scope: &Scope,
        below: bool,
        after: Option<&Place>,
    ) -> impl Iterator<Item = (Arc<Scope>, RoleAssignment)> {
        let mut parts: Vec<(Scope, Extent)> = self.scope_chain(scope).into_iter().map(|scope| (scope, Extent::At)).collect();
        if below {
            parts.extend(self.parts_below(scope));
        }
        parts.sort_by(|a, b| (a.0.folded(), a.1).cmp(&(b.0.folded(), b.1)));
        // A circle of management groups is above itself and below itself.
        parts.dedup();
        let resumed = after.map(|after| (after, if after.part == after.scope { Extent::At } else { Extent::Within }));
        if let Some((after, extent)) = resumed {
            parts.retain(|part| (part.0.folded(), part.1) >= (after.part.folded(), extent));
        }
        let resumed = resumed.map(|(after, extent)| (after.clone(), extent));
        parts.into_iter().flat_map(move |(part, extent)| {
            let head = Arc::new(part.clone());
            let from = resumed.as_ref().filter(|(after, known)| after.part == part && *known == extent).map(|(after, _)| after);
            self.part(&part, extent, from.map(|after| (after.scope.clone(), after.id)))
                .map(move |grant| (Arc::clone(&head), grant.document()))
        })
    }

    /// What lies below a scope: for a management group, its groups and subscriptions too, which are elsewhere in the ids. Everything
    /// is below the root already.
    fn parts_below(&self, scope: &Scope) -> Vec<(Scope, Extent)> {
        let mut parts = vec![(scope.clone(), Extent::Within)];
        if scope.kind() == ScopeKind::ManagementGroup {
            let containers = self.tree.below(scope).filter_map(|folded| folded.parse::<Scope>().ok());
            parts.extend(containers.flat_map(|container| [(container.clone(), Extent::At), (container, Extent::Within)]));
        }
        parts
    }

    fn part<'a>(
        &'a self,
        part: &Scope,
        extent: Extent,
        after: Option<(Scope, AssignmentId)>,
    ) -> impl Iterator<Item = &'a Arc<Grant>> + use<'a> {
        let last = after.as_ref().map(|(_, id)| *id);
        let at = (extent == Extent::At).then(|| self.shelves.get(part)).flatten();
        let within = (extent == Extent::Within).then(|| self.shelves_within(part, after.as_ref().map(|(scope, _)| scope)));
        let within = within
            .into_iter()
            .flatten()
            .flat_map(move |(scope, shelf)| shelf.after(after.as_ref().filter(|(known, _)| *known == **scope).map(|(_, id)| *id)));
        at.into_iter().flat_map(move |shelf| shelf.after(last)).chain(within)
    }

    /// The shelves strictly below the scope by id, from `from` on. In order of folded text all that start alike lie together.
    fn shelves_within<'a>(&'a self, scope: &Scope, from: Option<&Scope>) -> impl Iterator<Item = (&'a Arc<Scope>, &'a Shelf)> + use<'a> {
        let start = from.filter(|from| scope.covers(from)).unwrap_or(scope).clone();
        let scope = scope.clone();
        let prefix = scope.folded().to_owned();
        self.shelves
            .range::<_, Scope>((Bound::Included(&start), Bound::Unbounded))
            .take_while(move |(known, _)| known.folded().starts_with(&prefix))
            .filter(move |(known, _)| ***known != scope && scope.covers(known))
    }
}
