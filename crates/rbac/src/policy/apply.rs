//! Follows the directory, one change at a time.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use keyless_model::entity::{Entity, EntityKey, EntityKind, Mutation, RoleAssignment};
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope};

use super::Policy;
use super::grant::{ById, Grant};
use super::subject::{Standing, Subject};
use crate::role::CompiledRole;

impl Policy {
    /// Follows one change of the directory. Costs O(log n) in the size of the policy and O(size) in the document; kinds of
    /// document that decisions do not depend on are ignored.
    ///
    /// Deleting a principal ends its access at once, through groups too, and leaves its assignments and memberships to those who
    /// own these documents, as Azure does.
    pub fn apply(&mut self, mutation: &Mutation) {
        match mutation {
            Mutation::Put(entity) => self.put(entity),
            Mutation::Delete(key) => self.delete(key),
        }
    }

    fn put(&mut self, entity: &Entity) {
        match entity {
            Entity::RoleDefinition(role) => {
                self.roles.insert(role.id.uuid().as_u64_pair(), Arc::new(CompiledRole::new(role)));
            }
            Entity::RoleAssignment(assignment) => self.put_assignment(assignment),
            Entity::DenyAssignment(deny) => self.denies.put(deny),
            Entity::Group(group) => self.set_members(group.id, &group.members),
            Entity::Principal(principal) => {
                let standing = Standing { tenant: principal.tenant, enabled: principal.enabled };
                self.change(principal.id, |subject| subject.standing = Some(standing));
            }
            Entity::Subscription(subscription) => self.tree.put_subscription(subscription),
            Entity::ManagementGroup(group) => self.tree.put_group(group),
            _ => {}
        }
    }

    fn delete(&mut self, key: &EntityKey) {
        match key.kind {
            EntityKind::RoleDefinition => with_id(key, |id: RoleId| {
                self.roles.remove(&id.uuid().as_u64_pair());
            }),
            EntityKind::RoleAssignment => with_id(key, |id| self.remove_assignment(id)),
            EntityKind::DenyAssignment => with_id(key, |id| self.denies.remove(id)),
            EntityKind::Group => with_id(key, |id| self.set_members(id, &BTreeSet::new())),
            EntityKind::Principal => with_id(key, |id| self.change(id, |subject| subject.standing = None)),
            EntityKind::Subscription => with_id(key, |id| self.tree.remove_subscription(id)),
            EntityKind::ManagementGroup => self.tree.remove_group(&key.id),
            _ => {}
        }
    }

    fn put_assignment(&mut self, document: &RoleAssignment) {
        self.remove_assignment(document.id);
        let scope = self.shared(&document.scope);
        let grant = Arc::new(Grant::new(document, Arc::clone(&scope)));
        self.shelves.entry(scope).or_default().insert(Arc::clone(&grant));
        self.change(grant.principal, |subject| subject.grants.insert(Arc::clone(&grant)));
        self.assignments.insert(ById(grant));
    }

    fn remove_assignment(&mut self, id: AssignmentId) {
        let Some(ById(grant)) = self.assignments.remove(&id) else { return };
        self.change(grant.principal, |subject| subject.grants.remove(&grant));
        if let Some(shelf) = self.shelves.get_mut(&*grant.scope) {
            shelf.remove(id);
            if shelf.is_empty() {
                self.shelves.remove(&*grant.scope);
            }
        }
    }

    /// One copy of a scope for all assignments that spell it alike.
    fn shared(&self, scope: &Scope) -> Arc<Scope> {
        match self.shelves.get_key_value(scope) {
            Some((known, _)) if known.as_str() == scope.as_str() => Arc::clone(known),
            _ => Arc::new(scope.clone()),
        }
    }

    /// Replaces the members of a group; none at all removes the group.
    fn set_members(&mut self, group: ObjectId, members: &BTreeSet<ObjectId>) {
        let before = if members.is_empty() { self.groups.remove(&group) } else { self.groups.insert(group, Arc::new(members.clone())) };
        let before = before.unwrap_or_default();
        for gone in before.difference(members) {
            self.change(*gone, |subject| subject.leave(group));
        }
        for new in members.difference(&before) {
            self.change(*new, |subject| subject.join(group));
        }
    }

    /// Changes a subject, which appears when first needed and goes when nothing is left of it.
    fn change(&mut self, id: ObjectId, change: impl FnOnce(&mut Subject)) {
        let subject = self.subjects.entry(id.uuid().as_u64_pair()).or_default();
        let subject = Arc::make_mut(subject);
        change(subject);
        if subject.is_empty() {
            self.subjects.remove(&id.uuid().as_u64_pair());
        }
    }
}

/// Acts on the id of a deleted document. A text that is no id names no document that was ever put, so there is nothing to do.
fn with_id<I: FromStr>(key: &EntityKey, act: impl FnOnce(I)) {
    if let Ok(id) = key.id.parse() {
        act(id);
    }
}
