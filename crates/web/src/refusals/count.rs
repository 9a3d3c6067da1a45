//! Refusals that were counted and not written.

use std::collections::BTreeMap;
use std::net::IpAddr;

use keyless_audit::{ActorRecord, AuditEvent, Category, DecisionRecord, Outcome, Repeated};
use keyless_model::{RequestId, Timestamp};

use super::RefusedBy;

/// Kinds that one event names. Strangers meet fewer on any plane.
const MAX_KINDS: usize = 96;

/// Refusals of one plane and outcome. What differs among them is not said.
#[derive(Debug, Clone)]
pub(super) struct Count {
    number: u64,
    since: Timestamp,
    /// Of one of them, to find it by.
    request_id: RequestId,
    plane: RefusedBy,
    category: Category,
    outcome: Outcome,
    change: bool,
    actor: ActorRecord,
    source: Option<IpAddr>,
    status: Option<u16>,
    kinds: BTreeMap<Box<str>, u64>,
}

impl Count {
    pub(super) fn one(plane: RefusedBy, kind: Box<str>, change: bool, source: Option<IpAddr>, event: &AuditEvent) -> Self {
        Self {
            number: 1,
            since: event.time,
            request_id: event.request_id,
            plane,
            category: event.category,
            outcome: event.outcome,
            change,
            actor: event.actor.clone(),
            source,
            status: event.status,
            kinds: BTreeMap::from([(kind, 1)]),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.plane, self.category, self.outcome) == (other.plane, other.category, other.outcome)
    }

    /// Takes in another one of the same plane and outcome.
    pub(super) fn merge(&mut self, other: Self) {
        self.number += other.number;
        self.since = self.since.min(other.since);
        self.request_id = other.request_id;
        self.change |= other.change;
        if self.actor != other.actor {
            self.actor = ActorRecord::System { reason: "refusals of several callers".into() };
        }
        self.source = self.source.filter(|source| other.source == Some(*source));
        self.status = self.status.filter(|status| other.status == Some(*status));
        for (kind, number) in other.kinds {
            if self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&kind) {
                *self.kinds.entry(kind).or_default() += number;
            }
        }
    }

    pub(super) fn event(&self, now: Timestamp) -> AuditEvent {
        let because = format!("{} more refusals were counted and not written one by one: {}", self.number, self.named());
        AuditEvent {
            time: now,
            request_id: self.request_id,
            client_request_id: None,
            category: self.category,
            operation: "Refusals_Count".into(),
            outcome: self.outcome,
            actor: self.actor.clone(),
            revision: None,
            source: self.source,
            target: None,
            location: None,
            decision: Some(DecisionRecord::refused(because)),
            status: self.status,
            repeated: Some(Repeated { number: self.number, since: self.since }),
            data: None,
            control: None,
            token: None,
        }
    }

    /// `authority: AADSTS50126 (3), AADSTS90002 (12), others (2)`; one kind goes without its number.
    fn named(&self) -> String {
        let of_kinds = self.kinds.values().sum::<u64>();
        let mut kinds: Vec<_> = match self.kinds.len() {
            1 if of_kinds == self.number => self.kinds.keys().map(ToString::to_string).collect(),
            _ => self.kinds.iter().map(|(kind, number)| format!("{kind} ({number})")).collect(),
        };
        if of_kinds < self.number {
            kinds.push(format!("others ({})", self.number - of_kinds));
        }
        format!("{}: {}", self.plane.name(), kinds.join(", "))
    }
}

/// Adds a count to the sum of its plane and outcome.
pub(super) fn add(sums: &mut Vec<Count>, count: Count) {
    match sums.iter_mut().find(|sum| sum.is_like(&count)) {
        Some(sum) => sum.merge(count),
        None => sums.push(count),
    }
}

/// At most `most` counts by themselves, denied changes before the others and then the largest; the rest summed over their callers.
pub(super) fn fold(mut counts: Vec<Count>, mut sums: Vec<Count>, most: usize) -> Vec<Count> {
    counts.sort_by_key(|count| (!count.change, std::cmp::Reverse(count.number), count.since));
    for count in counts.drain(most.min(counts.len())..) {
        add(&mut sums, count);
    }
    counts.extend(sums);
    counts
}
