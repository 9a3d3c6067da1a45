//! What every decision is made from: roles, assignments, groups and the tree of scopes, compiled and immutable in use.
//!
//! Everything here is a persistent map: a clone costs nothing, and a change copies one path and shares the rest. So the holder of
//! the directory clones the policy, applies a transaction's mutations and publishes the result, while readers keep deciding
//! from the one they hold.
//!
//! INVARIANT: a policy is a function of the documents it holds, not of the order in which they came. Applying changes one
//! by one equals building from scratch; `tests/properties.rs` checks it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use keyless_model::entity::{RoleAssignment, RoleDefinition};
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope};
use smallvec::SmallVec;

use crate::role::CompiledRole;

mod apply;
mod chain;
mod decide;
mod deny;
mod grant;
mod grants;
mod list;
mod shelf;
mod subject;
mod tree;

use deny::Denies;
use grant::{ById, Grant};
use shelf::Shelf;
use subject::Subject;
use tree::Tree;

/// A list that is nearly always short: on the stack until it is not, so that a usual decision allocates nothing.
type Short<T> = SmallVec<[T; 16]>;

pub use list::Place;

/// The compiled policy. The default holds nothing and refuses everything. Cloning is cheap: clones share everything that neither
/// has changed.
#[derive(Clone, Default)]
pub struct Policy {
    roles: OrdMap<Pair, Arc<CompiledRole>>,
    assignments: OrdSet<ById>,
    /// The same assignments by scope; also where equal scopes find each other and share their text.
    shelves: OrdMap<Arc<Scope>, Shelf>,
    /// The same assignments by principal, with the groups that hold the principal: all that a decision starts from.
    subjects: OrdMap<Pair, Arc<Subject>>,
    groups: OrdMap<ObjectId, Arc<BTreeSet<ObjectId>>>,
    denies: Denies,
    tree: Tree,
}

/// A UUID as two numbers, which compare without a call; in the same order as the UUIDs.
type Pair = (u64, u64);

impl Policy {
    fn compiled(&self, id: RoleId) -> Option<&CompiledRole> {
        self.roles.get(&id.uuid().as_u64_pair()).map(|role| &**role)
    }

    #[must_use]
    pub fn role(&self, id: RoleId) -> Option<&RoleDefinition> {
        self.compiled(id).map(|role| &role.definition)
    }

    /// Every role, by id.
    pub fn roles(&self) -> impl Iterator<Item = &RoleDefinition> {
        self.roles.values().map(|role| &role.definition)
    }

    /// The assignment of that name, rebuilt from the compact form in which the policy keeps it.
    #[must_use]
    pub fn assignment(&self, id: AssignmentId) -> Option<RoleAssignment> {
        self.assignments.get(&id).map(|grant| grant.0.document())
    }

    /// Every assignment, by id.
    pub fn assignments(&self) -> impl Iterator<Item = RoleAssignment> {
        self.assignments.iter().map(|grant| grant.0.document())
    }

    #[must_use]
    pub fn assignment_count(&self) -> usize {
        self.assignments.len()
    }
}

impl fmt::Debug for Policy {
    /// Sizes only: a whole policy in a log would be of no use to anyone but a thief.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("roles", &self.roles.len())
            .field("assignments", &self.assignments.len())
            .field("scopes", &self.shelves.len())
            .field("subjects", &self.subjects.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
