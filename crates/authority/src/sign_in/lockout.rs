//! Wrong passwords: after a few, whoever guesses must wait, longer each time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use keyless_model::Timestamp;

/// Failures that cost nothing: typing errors of one person at one place.
const FREE_HERE: u32 = 5;
/// The same for one name from everywhere (a distributed guess), and for one place with any name (a sprayed password).
const FREE_NAME: u32 = 50;
const FREE_PLACE: u32 = 100;
/// The first wait and the longest one, in seconds; it doubles in between.
const FIRST_WAIT_SECS: i64 = 30;
const LONGEST_WAIT_SECS: i64 = 15 * 60;
/// Failures are forgotten after this long without another, in seconds.
const FORGET_SECS: i64 = 3600;
const MAX_ENTRIES: usize = 100_000;

/// Failures by name, by place, and by both. Names are kept as hashes: people type passwords into the wrong field.
#[derive(Debug, Default)]
pub(super) struct Lockout(Mutex<HashMap<Key, Entry>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Here([u8; 32], Option<IpAddr>),
    Name([u8; 32]),
    Place(Option<IpAddr>),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    failures: u32,
    last: Timestamp,
    until: Timestamp,
}

impl Lockout {
    /// The seconds that this person at this place must wait; none when they may try now.
    pub(super) fn wait(&self, name: &str, source: Option<IpAddr>, now: Timestamp) -> Option<i64> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = keys(name, source).into_iter().filter_map(|(key, _)| entries.get(&key)).map(|entry| {
            // A clock that went back must not lock anybody out for longer than the longest wait.
            entry.until.min(now.plus_secs(LONGEST_WAIT_SECS)).millis_since(now)
        });
        waits.max().filter(|wait| *wait > 0).map(|millis| millis / 1000 + 1)
    }

    pub(super) fn failed(&self, name: &str, source: Option<IpAddr>, now: Timestamp) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, entry| entry.last.plus_secs(FORGET_SECS) > now);
        }
        for (key, free) in keys(name, source) {
            if entries.len() >= MAX_ENTRIES && !entries.contains_key(&key) {
                continue;
            }
            let entry = entries.entry(key).or_insert(Entry { failures: 0, last: now, until: now });
            if entry.last.plus_secs(FORGET_SECS) <= now {
                entry.failures = 0;
            }
            entry.failures = entry.failures.saturating_add(1);
            entry.last = now;
            if let Some(over) = entry.failures.checked_sub(free) {
                let wait = FIRST_WAIT_SECS.checked_shl(over).filter(|wait| *wait > 0).unwrap_or(LONGEST_WAIT_SECS);
                entry.until = now.plus_secs(wait.min(LONGEST_WAIT_SECS));
            }
        }
    }

    /// The person got in: what they mistyped here is forgotten. What others tried elsewhere is not.
    pub(super) fn succeeded(&self, name: &str, source: Option<IpAddr>) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&Key::Here(hashed(name), place(source)));
    }
}

fn keys(name: &str, source: Option<IpAddr>) -> [(Key, u32); 3] {
    let (name, place) = (hashed(name), place(source));
    [(Key::Here(name, place), FREE_HERE), (Key::Name(name), FREE_NAME), (Key::Place(place), FREE_PLACE)]
}

fn hashed(name: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, name.to_lowercase().as_bytes()).as_ref());
    hash
}

pub(crate) use keyless_web::place;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_unix_secs(1_700_000_000 + secs)
    }

    fn from(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn waits_grow_with_each_failure_and_end() {
        let lockout = Lockout::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..12 {
            lockout.failed("Ada@keyless.test", from(1), at(now));
            let wait = lockout.wait("ada@KEYLESS.test", from(1), at(now)).unwrap_or(0);
            waits.push(wait);
            now += wait;
        }
        assert_eq!(waits, [0, 0, 0, 0, 31, 61, 121, 241, 481, 901, 901, 901]);
        assert_eq!(lockout.wait("ada@keyless.test", from(1), at(now)), None);
    }

    #[test]
    fn one_place_cannot_lock_a_person_out_elsewhere() {
        let lockout = Lockout::default();
        for n in 0..20 {
            lockout.failed("ada", from(1), at(n));
        }
        assert!(lockout.wait("ada", from(1), at(20)).is_some());
        assert_eq!(lockout.wait("ada", from(2), at(20)), None);
    }

    #[test]
    fn a_distributed_guess_and_a_sprayed_password_are_slowed() {
        let lockout = Lockout::default();
        for n in 0..60 {
            lockout.failed("ada", from(n), at(0));
        }
        assert!(lockout.wait("ada", from(200), at(0)).is_some());
        for n in 0..120 {
            lockout.failed(&format!("user-{n}"), from(99), at(0));
        }
        assert!(lockout.wait("somebody-else", from(99), at(0)).is_some());
    }

    #[test]
    fn a_success_forgives_typing_errors_here() {
        let lockout = Lockout::default();
        for _ in 0..4 {
            lockout.failed("ada", from(1), at(0));
        }
        lockout.succeeded("ada", from(1));
        lockout.failed("ada", from(1), at(1));
        assert_eq!(lockout.wait("ada", from(1), at(1)), None);
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out_for_long() {
        let lockout = Lockout::default();
        for _ in 0..6 {
            lockout.failed("ada", from(1), at(0));
        }
        assert!(lockout.wait("ada", from(1), at(-86_400)).unwrap() <= LONGEST_WAIT_SECS + 1);
    }
}
