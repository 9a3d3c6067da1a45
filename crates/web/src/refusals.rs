//! Refusals in the audit: the first of each kind in full, the rest counted, so that whoever may do nothing cannot fill the disk.
//!
//! What a plane refuses before a right was found goes through [`crate::Platform::refused`]. Per minute a few events of each caller and
//! kind are written as they are; the others become one event that carries their number. Calls that a permit allowed are never counted
//! together: they are recorded one by one.
//!
//! Noise must not hide a signal, so what strangers do is kept apart by plane, guesses at a person's password have a share of their own,
//! and so have the changes that a principal was denied. Where there are more callers than room, their numbers are summed by plane,
//! outcome and kind; kinds are our own words.
//!
//! The counts of the running minute are in memory. They are written when it ends and when the system stops; a killed process loses
//! them, and with them only numbers: the first refusals of the minute are in the log.

mod count;
mod shorten;
mod table;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keyless_audit::{ActorRecord, AuditEvent, Outcome};
use keyless_model::{ObjectId, Timestamp};

use crate::Place;
use count::{Count, fold};
use table::{Group, Key, Subject, Table};

const MINUTE_MILLIS: i64 = 60_000;
/// Counts that wait for a log that cannot be written.
const MAX_WAITING: usize = 1024;

/// Which plane refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// What was refused, in our own words: none of these is the caller's text, so there are finitely many.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    plane: RefusedBy,
    reason: &'a str,
    operation: &'a str,
    change: bool,
    person: Option<ObjectId>,
}

impl<'a> Refused<'a> {
    #[must_use]
    pub const fn new(plane: RefusedBy, reason: &'a str) -> Self {
        Self { plane, reason, operation: "", change: false, person: None }
    }

    /// The operation, as the table of routes names it; tells the refusals of a known caller apart.
    #[must_use]
    pub const fn of(self, operation: &'a str) -> Self {
        Self { operation, ..self }
    }

    /// A known caller was denied a change, or a look at who may do what: written in full up to a larger share.
    #[must_use]
    pub const fn change(self, change: bool) -> Self {
        Self { change, ..self }
    }

    /// A stranger claimed to be this person. People are finite and strangers cannot make them.
    #[must_use]
    pub const fn person(self, person: Option<ObjectId>) -> Self {
        Self { person, ..self }
    }
}

#[derive(Debug, Default)]
struct State {
    minute: i64,
    tables: BTreeMap<Group, Table>,
    /// Counts of minutes that are over.
    due: Vec<Count>,
}

/// The refusals of this process.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<State>);

impl Refusals {
    /// The event of a refusal, when it is to be written by itself; none when it was counted instead, as all are without `room`.
    pub fn admit(&self, refused: Refused<'_>, mut event: AuditEvent, room: bool) -> Option<AuditEvent> {
        let (subject, group) = match (&event.actor, refused.person) {
            (ActorRecord::Principal { object_id, tenant, .. }, _) => {
                (Subject::Principal(*tenant, *object_id), Group::Principals(refused.plane))
            }
            (ActorRecord::AccountKey { fingerprint }, _) => (Subject::Key(fingerprint.clone()), Group::Principals(refused.plane)),
            (ActorRecord::Anonymous | ActorRecord::System { .. }, Some(person)) => (Subject::Person(person), Group::People),
            (ActorRecord::Anonymous | ActorRecord::System { .. }, None) => {
                (Subject::Place(Place::of(event.source)), Group::Strangers(refused.plane))
            }
        };
        let key = Key::new(subject, refused, event.outcome == Outcome::Denied);
        let longest = match group {
            Group::Principals(_) => shorten::MAX_TEXT_BYTES,
            Group::Strangers(_) | Group::People => shorten::MAX_STRANGERS_TEXT_BYTES,
        };
        let mut state = self.lock();
        state.turn(event.time);
        let in_full = state.tables.entry(group).or_insert_with(|| Table::new(group)).admit(key, refused.plane, &event, room);
        drop(state);
        in_full.then(|| {
            shorten::shorten(&mut event, longest);
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
        state.due = fold(std::mem::take(&mut state.due), Vec::new(), MAX_WAITING);
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
        self.due.extend(std::mem::take(&mut self.tables).into_values().flat_map(Table::close));
        self.due = fold(std::mem::take(&mut self.due), Vec::new(), MAX_WAITING);
    }
}

#[cfg(test)]
mod tests;
