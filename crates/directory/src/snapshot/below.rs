//! Ranges of tables that are kept in id order: what is at or below a scope, from where a reader stopped.

use std::ops::Bound;

use imbl::OrdMap;
use keyless_model::Scope;

use super::{Arc, Table};

/// What is at or below `scope`, after the folded id `after` when there is one. Finding the start costs O(log n), so a list that is
/// read page by page costs what it shows.
#[derive(Debug, Clone, Copy)]
pub struct Below<'s> {
    pub scope: &'s Scope,
    pub after: Option<&'s str>,
}

impl<'s> From<&'s Scope> for Below<'s> {
    fn from(scope: &'s Scope) -> Self {
        Self { scope, after: None }
    }
}

/// The rows of `table` whose folded id is in the range.
pub(super) fn below<'a, V>(table: &'a Table<String, V>, range: Below<'_>) -> impl Iterator<Item = &'a Arc<V>> + use<'a, V> {
    range_below(table, range).map(|(_, row)| row)
}

pub(super) fn range_below<'a, V: Clone>(
    table: &'a OrdMap<String, V>,
    range: Below<'_>,
) -> impl Iterator<Item = (&'a String, &'a V)> + use<'a, V> {
    let scope = range.scope.folded();
    let own = range.after.is_none_or(|after| after < scope).then(|| table.get_key_value(scope)).flatten();
    // A sibling such as `rg-x` sorts between `rg` and `rg/…`: it shares the text, not the segment, so the range starts behind it.
    let within = format!("{scope}/");
    let start = match range.after {
        Some(after) if *after >= *within => Bound::Excluded(after),
        _ => Bound::Included(within.as_str()),
    };
    let rest = table.range::<_, str>((start, Bound::Unbounded)).take_while(move |(id, _)| id.starts_with(&within));
    own.into_iter().chain(rest)
}

/// Everything above `last`; everything, without one.
pub(super) fn after<K>(last: Option<K>) -> (Bound<K>, Bound<K>) {
    (last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}
