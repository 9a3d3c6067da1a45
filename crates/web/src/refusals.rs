//! Refusals in the audit: the first of each kind in full, the rest counted, so that whoever may do nothing cannot fill the disk.
//!
//! What a plane refuses before a right was found goes through [`crate::Platform::refused`]. Per minute, caller, plane and reason a few
//! events are written as they are; the others become one event that carries their number. A caller is a principal, or the place that a
//! request without a proven caller came from. Calls that a permit allowed are never counted together: they are recorded one by one.
//!
//! The counts of the running minute are in memory. They are written when it ends and when the system stops; a killed process loses
//! them, and with them only numbers: the first refusals of the minute are in the log.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keyless_audit::redact::{shortened, start_of};
use keyless_audit::{ActorRecord, AuditEvent, Category, DecisionRecord, Outcome, Repeated};
use keyless_model::{ObjectId, RequestId, TenantId, Timestamp};

use crate::place;

const MINUTE_MILLIS: i64 = 60_000;
/// Longer texts of a refused request are cut: they are the caller's own.
const MAX_TEXT_BYTES: usize = 512;
/// A scope is either whole or not there.
const MAX_TARGET_BYTES: usize = 1024;
/// Reasons are ours and short; this only bounds the memory of a row.
const MAX_REASON_BYTES: usize = 96;
/// Counts that wait for a log that cannot be written.
const MAX_WAITING: usize = 256;

/// Which plane refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusedBy {
    Authority,
    Metadata,
    Control,
    Gateway,
}

impl RefusedBy {
    const fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Metadata => "metadata",
            Self::Control => "control plane",
            Self::Gateway => "gateway",
        }
    }
}

/// How much of one minute is written.
#[derive(Debug)]
struct Bounds {
    /// Events in full, per caller, plane and reason.
    per_reason: u32,
    /// Events in full, per caller.
    per_caller: u32,
    /// Events in full, altogether.
    altogether: u32,
    /// Callers, planes and reasons told apart.
    rows: usize,
    /// Events that carry a number.
    counts: usize,
}

/// All strangers together get less than 100 KiB a minute: whoever has many addresses gets no more than whoever has one.
const STRANGERS: Bounds = Bounds { per_reason: 5, per_caller: 30, altogether: 40, rows: 256, counts: 24 };
/// Principals without the right. Each has its own share, so that one does not hide the others.
const PRINCIPALS: Bounds = Bounds { per_reason: 5, per_caller: 20, altogether: 400, rows: 2048, counts: 200 };

/// Who was refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Caller {
    Place(Option<IpAddr>),
    Principal(TenantId, ObjectId),
    Key(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    caller: Caller,
    plane: RefusedBy,
    reason: Box<str>,
}

/// One key's minute.
#[derive(Debug)]
struct Row {
    in_full: u32,
    counted: Option<Count>,
}

/// Refusals that were counted and not written.
#[derive(Debug, Clone)]
struct Count {
    number: u64,
    since: Timestamp,
    /// Of one of them, to find it by.
    request_id: RequestId,
    category: Category,
    outcome: Outcome,
    actor: ActorRecord,
    source: Option<IpAddr>,
    status: Option<u16>,
    because: String,
}

#[derive(Debug)]
struct Table {
    bounds: Bounds,
    rows: HashMap<Key, Row>,
    in_full: u32,
    /// What found no row.
    others: Option<Count>,
}

#[derive(Debug)]
struct State {
    minute: i64,
    strangers: Table,
    principals: Table,
    /// Counts of minutes that are over.
    due: Vec<Count>,
}

/// The refusals of this process.
#[derive(Debug)]
pub struct Refusals(Mutex<State>);

impl Default for Refusals {
    fn default() -> Self {
        let state = State { minute: 0, strangers: Table::new(STRANGERS), principals: Table::new(PRINCIPALS), due: Vec::new() };
        Self(Mutex::new(state))
    }
}

impl Refusals {
    /// The event of a refusal, when it is to be written by itself; none when it was counted instead, as all are without `room`. `reason` is one of ours, not the
    /// caller's text.
    pub fn admit(&self, plane: RefusedBy, reason: &str, mut event: AuditEvent, room: bool) -> Option<AuditEvent> {
        let caller = match &event.actor {
            ActorRecord::Principal { object_id, tenant, .. } => Caller::Principal(*tenant, *object_id),
            ActorRecord::AccountKey { fingerprint } => Caller::Key(fingerprint.clone()),
            ActorRecord::Anonymous | ActorRecord::System { .. } => Caller::Place(place(event.source)),
        };
        let mut state = self.lock();
        state.turn(event.time);
        let table = if matches!(caller, Caller::Place(_)) { &mut state.strangers } else { &mut state.principals };
        let in_full = table.admit(Key { caller, plane, reason: start_of(reason, MAX_REASON_BYTES).into() }, &event, room);
        drop(state);
        in_full.then(|| {
            shorten(&mut event);
            event
        })
    }

    /// One event per count of the minutes before `now`; of the running one as well with `everything`. What is not written must be
    /// given back.
    pub(crate) fn due(&self, now: Timestamp, everything: bool) -> Due {
        let mut state = self.lock();
        if everything {
            state.close()
        } else {
            state.turn(now)
        }
        let counts = std::mem::take(&mut state.due);
        let events = counts.iter().map(|count| count.event(now)).collect();
        Due { counts, events }
    }

    /// The log did not take them: they are due again.
    pub(crate) fn give_back(&self, due: Due) {
        let mut state = self.lock();
        let newer = std::mem::replace(&mut state.due, due.counts);
        state.due.extend(newer);
        state.due = fold(std::mem::take(&mut state.due), None, MAX_WAITING);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters; a panic leaves them as good as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts on their way to the log.
#[derive(Debug)]
pub(crate) struct Due {
    counts: Vec<Count>,
    pub(crate) events: Vec<AuditEvent>,
}

impl State {
    /// Begins a new minute when `now` is in another one.
    fn turn(&mut self, now: Timestamp) {
        let minute = now.unix_millis().div_euclid(MINUTE_MILLIS);
        // A request that began before the turn counts for the running minute.
        if minute > self.minute {
            self.close();
            self.minute = minute;
        }
    }

    fn close(&mut self) {
        for table in [&mut self.strangers, &mut self.principals] {
            let counts = table.rows.drain().filter_map(|(_, row)| row.counted).collect();
            let others = table.others.take();
            table.in_full = 0;
            self.due.extend(fold(counts, others, table.bounds.counts));
        }
        if self.due.len() > MAX_WAITING {
            self.due = fold(std::mem::take(&mut self.due), None, MAX_WAITING);
        }
    }
}

impl Table {
    fn new(bounds: Bounds) -> Self {
        Self { bounds, rows: HashMap::new(), in_full: 0, others: None }
    }

    /// Whether the refusal is written in full; else it was counted.
    fn admit(&mut self, key: Key, event: &AuditEvent, room: bool) -> bool {
        let reason = || format!("{}: {}", key.plane.name(), key.reason);
        let row = match self.rows.get(&key) {
            None if self.rows.len() >= self.bounds.rows => {
                count(&mut self.others, event, || "of many kinds".to_owned());
                return false;
            }
            row => row,
        };
        let room = room && row.is_none_or(|row| row.in_full < self.bounds.per_reason) && self.in_full < self.bounds.altogether;
        let in_full = room && {
            let of_caller = self.rows.iter().filter(|(other, _)| other.caller == key.caller);
            of_caller.map(|(_, row)| row.in_full).sum::<u32>() < self.bounds.per_caller
        };
        if in_full {
            self.in_full += 1;
            self.rows.entry(key).or_insert(Row { in_full: 0, counted: None }).in_full += 1;
        } else {
            let because = reason();
            count(&mut self.rows.entry(key).or_insert(Row { in_full: 0, counted: None }).counted, event, || because);
        }
        in_full
    }
}

fn count(counted: &mut Option<Count>, event: &AuditEvent, because: impl FnOnce() -> String) {
    match counted {
        Some(count) => {
            count.number += 1;
            count.request_id = event.request_id;
        }
        None => {
            *counted = Some(Count {
                number: 1,
                since: event.time,
                request_id: event.request_id,
                category: event.category,
                outcome: event.outcome,
                actor: event.actor.clone(),
                source: place(event.source),
                status: event.status,
                because: because(),
            });
        }
    }
}

/// At most `most` counts: the largest by themselves, the rest as one of them all.
fn fold(mut counts: Vec<Count>, mut others: Option<Count>, most: usize) -> Vec<Count> {
    counts.sort_by_key(|count| (std::cmp::Reverse(count.number), count.since));
    let keep = most.saturating_sub(1).min(counts.len());
    for count in counts.drain(keep..) {
        match &mut others {
            Some(others) => {
                others.number += count.number;
                others.since = others.since.min(count.since);
            }
            None => others = Some(count),
        }
    }
    counts.extend(others.map(|others| Count {
        actor: ActorRecord::System { reason: "refusals of several callers".into() },
        source: None,
        status: None,
        because: "of many kinds".to_owned(),
        ..others
    }));
    counts
}

impl Count {
    fn event(&self, now: Timestamp) -> AuditEvent {
        let because = format!("{} more refusals were counted and not written one by one: {}", self.number, self.because);
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
}

/// Cuts what the caller chose the length of.
fn shorten(event: &mut AuditEvent) {
    fn text(text: &mut Cow<'static, str>) {
        if text.len() > MAX_TEXT_BYTES {
            *text = shortened(text, MAX_TEXT_BYTES).into();
        }
    }
    fn string(text: &mut Option<String>) {
        if let Some(long) = text.as_mut().filter(|text| text.len() > MAX_TEXT_BYTES) {
            *long = shortened(long, MAX_TEXT_BYTES);
        }
    }
    text(&mut event.operation);
    if let Some(decision) = &mut event.decision {
        text(&mut decision.because);
    }
    if let Some(token) = &mut event.token {
        text(&mut token.grant);
        text(&mut token.credential);
        string(&mut token.audience);
    }
    if let Some(data) = &mut event.data {
        string(&mut data.api_version);
        for name in [&mut data.deployment, &mut data.model].into_iter().flatten() {
            if name.len() > MAX_TEXT_BYTES {
                *name = shortened(name, MAX_TEXT_BYTES).into();
            }
        }
    }
    if event.target.as_ref().is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
        event.target = None;
    }
}

#[cfg(test)]
mod tests;
