//! One minute of one group of callers: what is written in full, and what is counted.

use std::collections::HashMap;
use std::net::IpAddr;

use keyless_audit::AuditEvent;
use keyless_audit::redact::start_of;
use keyless_model::{ObjectId, TenantId};

use super::count::{Count, add, fold};
use super::{Refused, RefusedBy};
use crate::{Place, place};

/// Reasons and operations are ours and short; this only bounds the memory of a row.
const MAX_KIND_BYTES: usize = 96;

/// Events in full in one minute.
#[derive(Debug, Clone, Copy)]
struct Share {
    /// Of each caller and kind, whatever else the caller does.
    first: u32,
    per_kind: u32,
    per_caller: u32,
    altogether: u32,
}

/// How much of one minute is written, by a group.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    changes: Share,
    others: Share,
    /// Callers and kinds told apart.
    rows: usize,
    /// Events that carry the number of one caller and kind.
    counts: usize,
}

const NONE: Share = Share { first: 0, per_kind: 0, per_caller: 0, altogether: 0 };
/// With [`PEOPLE`], less than 100 KiB a minute on all planes: whoever has many addresses gets no more than whoever has one.
const STRANGERS: Bounds =
    Bounds { changes: NONE, others: Share { first: 0, per_kind: 5, per_caller: 10, altogether: 10 }, rows: 256, counts: 6 };
const PEOPLE: Bounds =
    Bounds { changes: NONE, others: Share { first: 0, per_kind: 5, per_caller: 10, altogether: 30 }, rows: 256, counts: 12 };
/// Principals without the right. Each has its own share, so that one does not hide the others; and the first of each operation is
/// there, so that none of them hides what it was after.
const PRINCIPALS: Bounds = Bounds {
    changes: Share { first: 2, per_kind: 200, per_caller: 200, altogether: 600 },
    others: Share { first: 1, per_kind: 5, per_caller: 20, altogether: 200 },
    rows: 2048,
    counts: 100,
};

/// Callers that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Strangers(RefusedBy),
    /// Those whom a stranger claimed to be.
    People,
    Principals(RefusedBy),
}

/// Whose refusals are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Place(Place),
    Person(ObjectId),
    Principal(TenantId, ObjectId),
    Key(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    subject: Subject,
    reason: Box<str>,
    /// Empty for strangers, whose reasons say enough.
    operation: Box<str>,
    change: bool,
    denied: bool,
}

impl Key {
    pub(super) fn new(subject: Subject, refused: Refused<'_>, denied: bool) -> Self {
        let known = matches!(subject, Subject::Principal(..) | Subject::Key(_));
        let operation = if known { refused.operation } else { "" };
        Self {
            subject,
            reason: start_of(refused.reason, MAX_KIND_BYTES).into(),
            operation: start_of(operation, MAX_KIND_BYTES).into(),
            change: known && refused.change,
            denied,
        }
    }

    /// The kind, as a count names it.
    fn kind(&self) -> Box<str> {
        match (&self.subject, &*self.operation) {
            (Subject::Person(person), _) => format!("{} for user {person}", self.reason).into(),
            (_, "") => self.reason.clone(),
            (_, operation) => format!("{} of {operation}", self.reason).into(),
        }
    }

    fn count(&self, plane: RefusedBy, event: &AuditEvent) -> Count {
        let source = match &self.subject {
            Subject::Place(place) => address(*place),
            _ => place(event.source),
        };
        Count::one(plane, self.kind(), self.change, source, event)
    }
}

fn address(place: Place) -> Option<IpAddr> {
    match place {
        Place::Address(address) => Some(address),
        Place::User(_) | Place::Here => None,
    }
}

/// One key's minute.
#[derive(Debug, Default)]
struct Row {
    in_full: u32,
    counted: Option<Count>,
}

#[derive(Debug)]
pub(super) struct Table {
    bounds: Bounds,
    rows: HashMap<Key, Row>,
    /// What found no row.
    rest: Vec<Count>,
}

impl Table {
    pub(super) fn new(group: Group) -> Self {
        let bounds = match group {
            Group::Strangers(_) => STRANGERS,
            Group::People => PEOPLE,
            Group::Principals(_) => PRINCIPALS,
        };
        Self { bounds, rows: HashMap::new(), rest: Vec::new() }
    }

    /// Whether the refusal is written in full; else it was counted.
    pub(super) fn admit(&mut self, key: Key, plane: RefusedBy, event: &AuditEvent, room: bool) -> bool {
        let in_full = room && self.has_share(&key);
        let full = self.rows.len() >= self.bounds.rows;
        if full && !self.rows.contains_key(&key) {
            add(&mut self.rest, key.count(plane, event));
            return false;
        }
        let one = (!in_full).then(|| key.count(plane, event));
        let row = self.rows.entry(key).or_default();
        match (one, &mut row.counted) {
            (None, _) => row.in_full += 1,
            (Some(one), Some(counted)) => counted.merge(one),
            (Some(one), none) => *none = Some(one),
        }
        in_full
    }

    fn has_share(&self, key: &Key) -> bool {
        let share = if key.change { self.bounds.changes } else { self.bounds.others };
        let of_kind = self.rows.get(key).map_or(0, |row| row.in_full);
        if of_kind >= share.per_kind {
            return false;
        }
        let (mut of_caller, mut altogether) = (0, 0);
        for (other, row) in self.rows.iter().filter(|(other, _)| other.change == key.change) {
            altogether += row.in_full;
            of_caller += if other.subject == key.subject { row.in_full } else { 0 };
        }
        altogether < share.altogether && (of_kind < share.first || of_caller < share.per_caller)
    }

    pub(super) fn close(self) -> Vec<Count> {
        fold(self.rows.into_values().filter_map(|row| row.counted).collect(), self.rest, self.bounds.counts)
    }
}
