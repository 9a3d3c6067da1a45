//! Wrong passwords: after a few, whoever guesses must wait, longer each time.
//!
//! An attempt is counted before the password is looked at, in one step with the question whether it is allowed, and given back when
//! it was right. So attempts that run side by side, or whose caller hangs up, count like any other.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use keyless_model::Timestamp;
use keyless_web::Place;

/// Failures that cost nothing: typing errors of one person at one place. No place adds more than this to a name's count.
const FREE_HERE: u32 = 5;
/// The same for one name from everywhere (a distributed guess), and for one place with any name (a sprayed password).
const FREE_NAME: u32 = 50;
const FREE_PLACE: u32 = 100;
/// In this time a count falls by as many failures as are free, in seconds: nobody stays locked by what was, only by what goes on.
const DRAIN_SECS: i64 = 3600;
/// The first wait and the longest one, in seconds; it doubles in between.
const FIRST_WAIT_SECS: i64 = 30;
const LONGEST_WAIT_SECS: i64 = 15 * 60;
/// A place where the person signed in keeps their trust this long, in seconds: 30 days.
const FAMILIAR_SECS: i64 = 30 * 86_400;
const MAX_ENTRIES: usize = 100_000;

/// Failures by name, by place, and by both. Names are kept as hashes: people type passwords into the wrong field.
#[derive(Debug)]
pub(super) struct Lockout {
    entries: Mutex<HashMap<Key, Entry>>,
    most: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Here([u8; 32], Place),
    Name([u8; 32]),
    Place(Place),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    failures: u32,
    /// Since when the count falls.
    since: Timestamp,
    until: Timestamp,
    /// Until when the person is known at this place.
    familiar: Timestamp,
}

/// An attempt that may be made and is counted as wrong until it turns out right.
#[derive(Debug)]
pub(super) struct Counted {
    keys: Vec<Key>,
}

impl Default for Lockout {
    fn default() -> Self {
        Self { entries: Mutex::default(), most: MAX_ENTRIES }
    }
}

impl Lockout {
    /// Counts an attempt of this person at this place.
    ///
    /// # Errors
    /// The seconds to wait when none is allowed now; it is not counted then.
    pub(super) fn begin(&self, name: &str, place: Place, now: Timestamp) -> Result<Counted, i64> {
        let mut entries = self.lock();
        let name = hashed(name);
        let (here, name, place) = (Key::Here(name, place), Key::Name(name), Key::Place(place));
        for key in [here, name, place] {
            if let Some(entry) = entries.get_mut(&key) {
                entry.drain(key.free(), now);
            }
        }
        let of_here = entries.get(&here).copied().unwrap_or(Entry::new(now));
        // SECURITY: where the person signs in, what others do elsewhere does not count: otherwise strangers with enough addresses
        // decide who may work. What is guessed here counts here.
        let ruling: &[Key] = if of_here.familiar > now { &[here] } else { &[here, name, place] };
        let waits = ruling.iter().filter_map(|key| entries.get(key)).map(|entry| entry.until.millis_since(now));
        if let Some(wait) = waits.max().filter(|wait| *wait > 0) {
            return Err(wait / 1000 + 1);
        }
        let mut keys = vec![here, place];
        if of_here.failures < FREE_HERE {
            keys.push(name);
        }
        let new = keys.iter().filter(|key| !entries.contains_key(key)).count();
        if entries.len() + new > self.most {
            make_room(&mut entries, self.most, now);
        }
        // SECURITY: what cannot be counted is not tried: whoever fills the table must not get guesses for it.
        if entries.len() + new > self.most {
            return Err(FIRST_WAIT_SECS);
        }
        for key in &keys {
            entries.entry(*key).or_insert(Entry::new(now)).count(key.free(), now);
        }
        Ok(Counted { keys })
    }

    /// The password was right: what was mistyped here is forgotten, and the place is known from now on. What others try stays.
    pub(super) fn succeeded(&self, counted: Counted, now: Timestamp) {
        let familiar = counted.keys.first().copied();
        self.give_back(counted);
        let mut entries = self.lock();
        if let Some(entry) = familiar.and_then(|key| entries.get_mut(&key)) {
            *entry = Entry { familiar: now.plus_secs(FAMILIAR_SECS), ..Entry::new(now) };
        }
    }

    /// The password was not looked at.
    pub(super) fn give_back(&self, counted: Counted) {
        let mut entries = self.lock();
        for key in counted.keys {
            if let Some(entry) = entries.get_mut(&key) {
                entry.failures = entry.failures.saturating_sub(1);
                if entry.failures < key.free() {
                    entry.until = entry.since;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    const fn free(self) -> u32 {
        match self {
            Self::Here(..) => FREE_HERE,
            Self::Name(_) => FREE_NAME,
            Self::Place(_) => FREE_PLACE,
        }
    }
}

impl Entry {
    const fn new(now: Timestamp) -> Self {
        Self { failures: 0, since: now, until: now, familiar: now }
    }

    fn drain(&mut self, free: u32, now: Timestamp) {
        // A clock that went back must not lock anybody out for longer than the longest wait.
        self.until = self.until.min(now.plus_secs(LONGEST_WAIT_SECS));
        self.since = self.since.min(now);
        let each = DRAIN_SECS * 1000 / i64::from(free);
        let drained = now.millis_since(self.since) / each;
        self.failures = self.failures.saturating_sub(u32::try_from(drained).unwrap_or(u32::MAX));
        self.since = if self.failures == 0 { now } else { self.since.plus_millis(drained * each) };
    }

    fn count(&mut self, free: u32, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        if let Some(over) = self.failures.checked_sub(free) {
            let wait = FIRST_WAIT_SECS.checked_mul(1_i64.checked_shl(over.min(16)).unwrap_or(i64::MAX)).unwrap_or(LONGEST_WAIT_SECS);
            self.until = now.plus_secs(wait.min(LONGEST_WAIT_SECS));
        }
    }
}

/// Drops the oldest entries that hold nobody back, a tenth of the table at once: so that a full table costs little each time.
fn make_room(entries: &mut HashMap<Key, Entry>, most: usize, now: Timestamp) {
    let mut idle: Vec<(bool, Timestamp, Key)> =
        entries.iter().filter(|(_, entry)| entry.until <= now).map(|(key, entry)| (entry.familiar > now, entry.since, *key)).collect();
    let wanted = (most / 10).max(3).min(idle.len());
    if wanted > 0 && wanted < idle.len() {
        // Strangers' entries before those of people who have signed in.
        idle.select_nth_unstable_by_key(wanted, |(familiar, since, _)| (*familiar, *since));
    }
    for (_, _, key) in &idle[..wanted] {
        entries.remove(key);
    }
}

fn hashed(name: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, name.to_lowercase().as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests;
