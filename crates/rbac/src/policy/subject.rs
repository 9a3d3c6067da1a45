//! A principal or group as decisions see it: its standing, the groups that hold it, and its assignments.

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::OrdMap;
use keyless_model::{AssignmentId, ObjectId, TenantId};

use super::Policy;
use super::chain::{Link, scope_key};
use super::grant::Grant;
use super::shelf::{with, without};
use super::short::Short;

/// What the directory says of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) tenant: TenantId,
    pub(super) enabled: bool,
}

#[derive(Clone, Default)]
pub(super) struct Subject {
    /// None while the directory has no such principal; assignments and memberships may outlive it.
    pub(super) standing: Option<Standing>,
    /// The groups that name it as a member, sorted.
    pub(super) member_of: Box<[ObjectId]>,
    pub(super) grants: Grants,
}

impl Subject {
    pub(super) fn is_empty(&self) -> bool {
        self.standing.is_none() && self.member_of.is_empty() && self.grants.is_empty()
    }

    pub(super) fn join(&mut self, group: ObjectId) {
        if let Err(at) = self.member_of.binary_search(&group) {
            let mut groups = std::mem::take(&mut self.member_of).into_vec();
            groups.insert(at, group);
            self.member_of = groups.into();
        }
    }

    pub(super) fn leave(&mut self, group: ObjectId) {
        if let Ok(at) = self.member_of.binary_search(&group) {
            let mut groups = std::mem::take(&mut self.member_of).into_vec();
            groups.remove(at);
            self.member_of = groups.into();
        }
    }
}

/// How many assignments of one principal are kept as a plain list and found by looking at each.
const FEW: usize = 16;

/// The assignments of one principal, findable by scope without allocating.
#[derive(Clone)]
pub(super) enum Grants {
    /// Sorted by assignment id.
    Few(Box<[Keyed]>),
    /// By the scope's key; each list is sorted by id.
    Many(OrdMap<u64, Arc<[Arc<Grant>]>>),
}

/// An assignment beside the key of its scope, so that a miss touches no other memory.
#[derive(Clone)]
pub(super) struct Keyed {
    key: u64,
    grant: Arc<Grant>,
}

impl Default for Grants {
    fn default() -> Self {
        Self::Few(Box::default())
    }
}

impl Grants {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(list) => list.is_empty(),
            Self::Many(map) => map.is_empty(),
        }
    }

    /// Adds a grant whose id is not among them.
    pub(super) fn insert(&mut self, grant: Arc<Grant>) {
        let key = scope_key(&grant.scope);
        match self {
            Self::Few(list) if list.len() < FEW => {
                let at = list.partition_point(|known| known.grant.id < grant.id);
                let mut grown = std::mem::take(list).into_vec();
                grown.reserve_exact(1);
                grown.insert(at, Keyed { key, grant });
                *list = grown.into();
            }
            Self::Few(list) => {
                let mut map = OrdMap::new();
                for known in list.iter() {
                    add(&mut map, known.key, Arc::clone(&known.grant));
                }
                add(&mut map, key, grant);
                *self = Self::Many(map);
            }
            Self::Many(map) => add(map, key, grant),
        }
    }

    pub(super) fn remove(&mut self, grant: &Grant) {
        match self {
            Self::Few(list) => *list = list.iter().filter(|known| known.grant.id != grant.id).cloned().collect(),
            Self::Many(map) => {
                let key = scope_key(&grant.scope);
                let rest = map.get(&key).map(|list| without(list, grant.id)).unwrap_or_default();
                if rest.is_empty() {
                    map.remove(&key);
                } else {
                    map.insert(key, rest);
                }
                if map.is_empty() {
                    *self = Self::default();
                }
            }
        }
    }

    /// The assignments made at exactly this scope, by id.
    pub(super) fn at<'a>(&'a self, link: Link<'_>) -> impl Iterator<Item = &'a Grant> {
        let (few, many) = match self {
            Self::Few(list) => (Some(list.iter().filter(move |known| known.key == link.key).map(|known| &*known.grant)), None),
            Self::Many(map) => (None, map.get(&link.key).map(|list| list.iter().map(|grant| &**grant))),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten()).filter(move |grant| link.names(&grant.scope))
    }

    /// All of them, by id.
    pub(super) fn all(&self) -> Vec<&Grant> {
        match self {
            Self::Few(list) => list.iter().map(|known| &*known.grant).collect(),
            Self::Many(map) => {
                let mut all: Vec<&Grant> = map.values().flat_map(|list| list.iter().map(|grant| &**grant)).collect();
                all.sort_unstable_by_key(|grant: &&Grant| -> AssignmentId { grant.id });
                all
            }
        }
    }
}

fn add(map: &mut OrdMap<u64, Arc<[Arc<Grant>]>>, key: u64, grant: Arc<Grant>) {
    let list = map.get(&key).map_or_else(|| Arc::from([Arc::clone(&grant)]), |list| with(list, Arc::clone(&grant)));
    map.insert(key, list);
}

/// Someone whose assignments count for a request: the principal, or a group that holds it.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) id: ObjectId,
    /// None for a group without assignments, standing or groups of its own.
    pub(super) subject: Option<&'a Subject>,
}

impl Policy {
    pub(super) fn subject(&self, id: ObjectId) -> Option<&Subject> {
        self.subjects.get(&id.uuid().as_u64_pair()).map(|subject| &**subject)
    }

    pub(super) fn member(&self, id: ObjectId) -> Member<'_> {
        Member { id, subject: self.subject(id) }
    }

    /// The principal and every group that holds it, directly or through other groups; nearest first, each once, whatever
    /// circles the groups form.
    pub(super) fn circle<'a>(&'a self, principal: Member<'a>) -> Short<Member<'a>> {
        let mut circle = Short::new(Member { id: principal.id, subject: None });
        circle.push(principal);
        // Looking through a short circle beats a set; a long one must not make this quadratic.
        let mut seen = BTreeSet::new();
        let mut next = 0;
        while let Some(current) = circle.get(next) {
            next += 1;
            for group in current.subject.map(|subject| &*subject.member_of).unwrap_or_default() {
                if circle.is_long() && seen.is_empty() {
                    seen.extend(circle.iter().map(|member| member.id));
                }
                let known = if seen.is_empty() { circle.iter().any(|member| member.id == *group) } else { !seen.insert(*group) };
                if !known {
                    circle.push(self.member(*group));
                }
            }
        }
        circle
    }
}
