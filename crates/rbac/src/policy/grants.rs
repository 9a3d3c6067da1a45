//! The assignments of one principal, findable by scope without allocating.

use std::sync::Arc;

use imbl::OrdMap;

use super::chain::{Link, scope_key};
use super::grant::Grant;
use super::shelf::{with, without};

/// How many assignments of one principal are kept as a plain list: a quarter of the memory of a tree, at the price of copying the
/// list when it changes.
const FEW: usize = 256;

#[derive(Clone)]
pub(super) enum Grants {
    /// Sorted by the scope's key, then by id.
    Few(Box<[Keyed]>),
    /// By the scope's key; each list is sorted by id.
    Many(OrdMap<u64, Arc<[Arc<Grant>]>>),
}

/// An assignment beside the key of its scope, so that a search touches no other memory.
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
                let at = list.partition_point(|known| (known.key, known.grant.id) < (key, grant.id));
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
            Self::Few(list) => {
                let from = list.partition_point(|known| known.key < link.key);
                let same = list.get(from..).unwrap_or_default().iter().take_while(move |known| known.key == link.key);
                (Some(same.map(|known| &*known.grant)), None)
            }
            Self::Many(map) => (None, map.get(&link.key).map(|list| list.iter().map(|grant| &**grant))),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten()).filter(move |grant| link.names(&grant.scope))
    }

    /// All of them, by id.
    pub(super) fn all(&self) -> Vec<&Grant> {
        let mut all: Vec<&Grant> = match self {
            Self::Few(list) => list.iter().map(|known| &*known.grant).collect(),
            Self::Many(map) => map.values().flat_map(|list| list.iter().map(|grant| &**grant)).collect(),
        };
        all.sort_unstable_by_key(|grant| grant.id);
        all
    }
}

fn add(map: &mut OrdMap<u64, Arc<[Arc<Grant>]>>, key: u64, grant: Arc<Grant>) {
    let list = map.get(&key).map_or_else(|| Arc::from([Arc::clone(&grant)]), |list| with(list, Arc::clone(&grant)));
    map.insert(key, list);
}

#[cfg(test)]
mod tests {
    use keyless_model::entity::RoleAssignment;
    use keyless_model::{AssignmentId, ObjectId, RoleId, Scope, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn place(number: u16) -> Scope {
        format!("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg{number}").parse().expect("well-formed")
    }

    fn grant(id: u16, at: u16) -> Arc<Grant> {
        let document = RoleAssignment {
            id: AssignmentId::from_u128(u128::from(id)),
            scope: place(at),
            role: RoleId::from_u128(1),
            principal: ObjectId::from_u128(1),
            principal_type: "User".to_owned(),
            condition: None,
            description: None,
            created: Timestamp::default(),
            updated: Timestamp::default(),
            created_by: None,
        };
        Arc::new(Grant::new(&document, Arc::new(document.scope.clone())))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        /// Grows past the small form and back, compared with a plain list on the way.
        #[test]
        fn grants_are_found_by_scope_in_either_form(puts in proptest::collection::vec((0..600_u16, 0..40_u16), 200..500), seed in any::<u16>()) {
            let (mut grants, mut plain) = (Grants::default(), Vec::<Arc<Grant>>::new());
            let check = |grants: &Grants, plain: &[Arc<Grant>]| {
                for number in 0..40 {
                    let scope = place(number);
                    let found: Vec<AssignmentId> =
                        grants.at(Link { key: scope_key(&scope), folded: scope.folded() }).map(|grant| grant.id).collect();
                    let mut expected: Vec<AssignmentId> =
                        plain.iter().filter(|grant| *grant.scope == scope).map(|grant| grant.id).collect();
                    expected.sort_unstable();
                    assert_eq!(found, expected);
                }
                assert_eq!(grants.all().len(), plain.len());
                assert_eq!(grants.is_empty(), plain.is_empty());
            };
            for (step, (id, at)) in puts.iter().enumerate() {
                let new = grant(*id, *at);
                if plain.iter().all(|known| known.id != new.id) {
                    grants.insert(Arc::clone(&new));
                    plain.push(new);
                }
                if step % 40 == 0 {
                    check(&grants, &plain);
                }
            }
            while !plain.is_empty() {
                let gone = plain.swap_remove(usize::from(seed) % plain.len());
                grants.remove(&gone);
                if plain.len() % 40 == 0 {
                    check(&grants, &plain);
                }
            }
        }
    }
}
