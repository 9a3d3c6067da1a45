//! The assignments at one scope.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use keyless_model::AssignmentId;

use super::Grant;

/// How many assignments a shelf holds as a plain list. A tree node of the persistent map would take hundreds of bytes, and most
/// scopes have a handful of assignments.
const FEW: usize = 32;

/// A set of assignments, by id.
#[derive(Clone)]
pub(super) enum Shelf {
    Few(Arc<[Arc<Grant>]>),
    Many(OrdMap<AssignmentId, Arc<Grant>>),
}

impl Default for Shelf {
    fn default() -> Self {
        Self::Few(Arc::default())
    }
}

impl Shelf {
    /// Adds a grant whose id is not on the shelf.
    pub(super) fn insert(&mut self, grant: Arc<Grant>) {
        match self {
            Self::Few(list) if list.len() < FEW => *list = with(list, grant),
            Self::Few(list) => {
                let mut map: OrdMap<_, _> = list.iter().map(|known| (known.id, Arc::clone(known))).collect();
                map.insert(grant.id, grant);
                *self = Self::Many(map);
            }
            Self::Many(map) => {
                map.insert(grant.id, grant);
            }
        }
    }

    pub(super) fn remove(&mut self, id: AssignmentId) {
        match self {
            Self::Few(list) => *list = without(list, id),
            Self::Many(map) => {
                map.remove(&id);
                if map.is_empty() {
                    *self = Self::default();
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(list) => list.is_empty(),
            Self::Many(map) => map.is_empty(),
        }
    }

    /// By id.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Grant>> {
        self.after(None)
    }

    /// Those with an id above `last`, by id; all, without one.
    pub(super) fn after(&self, last: Option<AssignmentId>) -> impl Iterator<Item = &Arc<Grant>> {
        let (few, many) = match self {
            Self::Few(list) => (list.get(list.partition_point(|known| last.is_some_and(|last| known.id <= last))..), None),
            Self::Many(map) => (None, Some(map.range((last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)))),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten().map(|(_, grant)| grant))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(map) => map.len(),
        }
    }
}

/// The list, which is sorted by id, with one more.
pub(super) fn with(list: &[Arc<Grant>], grant: Arc<Grant>) -> Arc<[Arc<Grant>]> {
    let at = list.partition_point(|known| known.id < grant.id);
    let (before, after) = list.split_at(at);
    before.iter().cloned().chain([grant]).chain(after.iter().cloned()).collect()
}

/// The list without one.
pub(super) fn without(list: &[Arc<Grant>], id: AssignmentId) -> Arc<[Arc<Grant>]> {
    list.iter().filter(|known| known.id != id).cloned().collect()
}
