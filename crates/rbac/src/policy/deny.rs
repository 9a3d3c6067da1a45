//! Deny assignments: what no role can grant.

use std::sync::Arc;

use imbl::OrdMap;
use keyless_model::DenyAssignmentId;
use keyless_model::entity::{DenyAssignment, DenyPrincipal};

use super::chain::{Chain, scope_key};
use super::subject::Member;
use super::{Policy, Short};
use crate::condition::Truth;
use crate::pattern::Action;
use crate::role::Block;
use crate::{Attributes, Plane};

/// A deny assignment with its patterns compiled.
struct CompiledDeny {
    definition: DenyAssignment,
    blocks: Box<[Block]>,
}

impl CompiledDeny {
    /// Whether it names the principal, itself or by a group, and does not except it, itself or by a group.
    fn concerns(&self, circle: &Short<Member<'_>>) -> bool {
        let named = self.definition.principals.contains(&DenyPrincipal::Everyone)
            || circle.iter().any(|member| self.definition.principals.contains(&DenyPrincipal::Object(member.id)));
        named && !circle.iter().any(|member| self.definition.exclude_principals.contains(&member.id))
    }

    /// Whether it forbids the action. SECURITY: a condition that cannot be evaluated does not lift the ban.
    fn forbids(&self, plane: Plane, action: &Action, attributes: &Attributes) -> bool {
        self.blocks.iter().any(|block| block.names(plane, action) && block.guard.truth(action, attributes) != Truth::False)
    }
}

/// All deny assignments. Azure makes them for managed applications and deployment stacks; there are few.
#[derive(Clone, Default)]
pub(super) struct Denies {
    by_id: OrdMap<DenyAssignmentId, Arc<CompiledDeny>>,
    /// The same by the scope's key, each list sorted by id.
    by_scope: OrdMap<u64, Arc<[Arc<CompiledDeny>]>>,
}

impl Denies {
    pub(super) fn put(&mut self, document: &DenyAssignment) {
        self.remove(document.id);
        let deny = Arc::new(CompiledDeny { definition: document.clone(), blocks: document.permissions.iter().map(Block::new).collect() });
        let key = scope_key(&document.scope);
        let mut list = self.by_scope.get(&key).map(|list| list.to_vec()).unwrap_or_default();
        list.insert(list.partition_point(|known| known.definition.id < document.id), Arc::clone(&deny));
        self.by_scope.insert(key, list.into());
        self.by_id.insert(document.id, deny);
    }

    pub(super) fn remove(&mut self, id: DenyAssignmentId) {
        let Some(deny) = self.by_id.remove(&id) else { return };
        let key = scope_key(&deny.definition.scope);
        let list = self.by_scope.get(&key).map(|list| list.to_vec()).unwrap_or_default();
        let rest: Vec<_> = list.into_iter().filter(|known| known.definition.id != id).collect();
        if rest.is_empty() {
            self.by_scope.remove(&key);
        } else {
            self.by_scope.insert(key, rest.into());
        }
    }

    /// The first deny assignment, from the nearest scope up, that forbids the action to any of the circle.
    pub(super) fn forbidding(
        &self,
        chain: &Chain<'_>,
        circle: &Short<Member<'_>>,
        (plane, action, attributes): (Plane, &Action, &Attributes),
    ) -> Option<DenyAssignmentId> {
        if self.by_id.is_empty() {
            return None;
        }
        chain.iter().enumerate().find_map(|(distance, link)| {
            let list = self.by_scope.get(&link.key)?;
            let found = list.iter().find(|deny| {
                link.names(&deny.definition.scope)
                    && (distance == 0 || !deny.definition.do_not_apply_to_child_scopes)
                    && deny.concerns(circle)
                    && deny.forbids(plane, action, attributes)
            });
            found.map(|deny| deny.definition.id)
        })
    }
}

impl Policy {
    #[must_use]
    pub fn deny_assignment(&self, id: DenyAssignmentId) -> Option<&DenyAssignment> {
        self.denies.by_id.get(&id).map(|deny| &deny.definition)
    }

    /// Every deny assignment, by id.
    pub fn deny_assignments(&self) -> impl Iterator<Item = &DenyAssignment> {
        self.denies.by_id.values().map(|deny| &deny.definition)
    }
}
