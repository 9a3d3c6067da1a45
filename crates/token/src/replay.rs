//! Remembers what was used, so that each thing works once.
//!
//! [`ReplaySet`] is one process's memory, for what ends with it. Client assertions outlive a process: the store remembers those, by the
//! same [`ReplayKey`] and for as long.

use std::collections::{BTreeSet, HashSet};

use aws_lc_rs::digest::{Context, SHA256};
use keyless_model::Timestamp;

/// The name under which something is remembered: SHA-256 over its signer and its `jti`, which is unique per signer only - two clients
/// may pick the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplayKey([u8; 32]);

impl ReplayKey {
    #[must_use]
    pub fn of(signer: &str, jti: &str) -> Self {
        let mut context = Context::new(&SHA256);
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        context.update(&signer.len().to_be_bytes());
        context.update(signer.as_bytes());
        context.update(jti.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        Self(key)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Why an assertion is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    #[error("the assertion was used before; sign a new one for every request")]
    Replayed,
    #[error("the assertion has expired")]
    Expired,
    /// SECURITY: forgetting an entry early to make room would let a flood open the door to a replay; so new ones wait instead.
    #[error("too many assertions are in use at once; try again in a minute")]
    Full,
}

/// A bounded set of used assertions. An entry leaves when it expires, never before.
#[derive(Debug)]
pub struct ReplaySet {
    capacity: usize,
    seen: HashSet<ReplayKey>,
    by_expiry: BTreeSet<(Timestamp, ReplayKey)>,
}

impl ReplaySet {
    /// Holds at most `capacity` entries, about 150 bytes each.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, seen: HashSet::new(), by_expiry: BTreeSet::new() }
    }

    /// Lets an assertion through once. `until` is the last moment at which it could be accepted, leeway included.
    ///
    /// # Errors
    /// [`ReplayError`], and then nothing was remembered.
    pub fn admit(&mut self, key: ReplayKey, until: Timestamp, now: Timestamp) -> Result<(), ReplayError> {
        self.forget_expired(now);
        if until <= now {
            return Err(ReplayError::Expired);
        }
        if self.seen.contains(&key) {
            return Err(ReplayError::Replayed);
        }
        if self.seen.len() >= self.capacity {
            return Err(ReplayError::Full);
        }
        self.seen.insert(key);
        self.by_expiry.insert((until, key));
        Ok(())
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    fn forget_expired(&mut self, now: Timestamp) {
        while let Some(&(until, key)) = self.by_expiry.first() {
            if until > now {
                break;
            }
            self.by_expiry.pop_first();
            self.seen.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }

    #[test]
    fn what_was_used_is_refused_until_it_expires_n40() {
        let mut set = ReplaySet::new(10);
        let key = ReplayKey::of("client", "jti-1");
        assert_eq!(set.admit(key, at(100), at(0)), Ok(()));
        assert_eq!(set.admit(key, at(100), at(0)), Err(ReplayError::Replayed));
        assert_eq!(set.admit(key, at(100), at(99)), Err(ReplayError::Replayed));
        assert_eq!(set.admit(key, at(100), at(100)), Err(ReplayError::Expired));
        assert_eq!(set.admit(ReplayKey::of("other client", "jti-1"), at(100), at(0)), Ok(()));
    }

    #[test]
    fn a_full_set_refuses_instead_of_forgetting() {
        let mut set = ReplaySet::new(2);
        let key = |n: u8| ReplayKey::of("c", &n.to_string());
        set.admit(key(1), at(10), at(0)).unwrap();
        set.admit(key(2), at(20), at(0)).unwrap();
        assert_eq!(set.admit(key(3), at(30), at(5)), Err(ReplayError::Full));
        assert_eq!(set.admit(key(1), at(10), at(5)), Err(ReplayError::Replayed));
        assert_eq!(set.admit(key(3), at(30), at(10)), Ok(()), "the first has expired");
        assert_eq!(set.len(), 2);
    }

    #[test]
    fn signer_and_jti_do_not_run_into_each_other() {
        assert_ne!(ReplayKey::of("ab", "c"), ReplayKey::of("a", "bc"));
    }

    proptest! {
        #[test]
        fn no_assertion_passes_twice_before_it_expires(
            uses in prop::collection::vec((0_u8..20, 1_i64..50, 0_i64..3), 1..200),
            capacity in 1_usize..30,
        ) {
            let mut set = ReplaySet::new(capacity);
            let mut live: Vec<(u8, i64)> = Vec::new();
            let mut now = 0;
            for (name, life, step) in uses {
                now += step;
                live.retain(|(_, until)| *until > now);
                let outcome = set.admit(ReplayKey::of("c", &name.to_string()), at(now + life), at(now));
                let known = live.iter().any(|(other, _)| *other == name);
                match outcome {
                    Ok(()) => { prop_assert!(!known); live.push((name, now + life)); }
                    Err(ReplayError::Replayed) => prop_assert!(known),
                    Err(ReplayError::Full) => prop_assert!(live.len() == capacity),
                    Err(ReplayError::Expired) => prop_assert!(false),
                }
                prop_assert!(set.len() <= capacity && set.len() == live.len());
            }
        }
    }
}
