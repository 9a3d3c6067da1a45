//! Slows down whoever guesses. It does not know what is guessed: a client's credential, a person's user code.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use keyless_model::Timestamp;

const MINUTE_MILLIS: i64 = 60_000;

/// Keys remembered at most; those whose bucket is empty leave first.
const MAX_KEYS: usize = 100_000;

/// Counts failures per key in a leaky bucket: `per_minute` may come at once, then one more each time a share of the minute has
/// passed. Successes are the caller's business: of clients they are never slowed, because client ids are no secret, and otherwise
/// anyone could lock a client out.
#[derive(Debug)]
pub(crate) struct Throttle<K> {
    per_minute: u32,
    /// The moment at which the key's bucket will be empty again.
    empty_at: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Hash + Eq> Throttle<K> {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1), empty_at: Mutex::new(HashMap::new()) }
    }

    /// Notes a failure. When there were too many, the seconds after which to try again.
    pub(crate) fn failure(&self, key: K, now: Timestamp) -> Option<u32> {
        let mut buckets = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_KEYS {
            buckets.retain(|_, empty_at| *empty_at > now);
        }
        let share = MINUTE_MILLIS / i64::from(self.per_minute);
        let latest = now.plus_millis(MINUTE_MILLIS);
        // No bucket takes more than a minute to drain: one that would is from before the clock was set back, and locks nobody out.
        let empty_at = buckets.get(&key).copied().filter(|empty_at| *empty_at <= latest).unwrap_or(now).max(now);
        let next = empty_at.plus_millis(share);
        if next > latest {
            let wait = next.millis_since(latest);
            return Some(u32::try_from(wait / 1000 + 1).unwrap_or(60));
        }
        buckets.insert(key, next);
        None
    }
}

#[cfg(test)]
mod tests {
    use keyless_model::ClientId;

    use super::*;

    const A: ClientId = ClientId::from_u128(1);
    const B: ClientId = ClientId::from_u128(2);

    #[test]
    fn ten_thousand_failures_a_minute_stop_that_client_only_n73() {
        let throttle = Throttle::new(60);
        let start = Timestamp::from_unix_secs(1_700_000_000);
        let refused = (0..10_000).filter(|n| throttle.failure(A, start.plus_millis(n * 6)).is_some()).count();
        assert!(refused > 9_800, "{refused}");
        assert_eq!(throttle.failure(B, start.plus_secs(60)), None);
        assert_eq!(throttle.failure(A, start.plus_secs(180)), None, "the bucket drains");
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out_for_long() {
        let throttle = Throttle::new(2);
        let late = Timestamp::from_unix_secs(1_700_000_000);
        let early = late.plus_secs(-86_400);
        assert_eq!((throttle.failure(A, late), throttle.failure(A, late)), (None, None));
        assert!(throttle.failure(A, late).is_some());
        assert_eq!(throttle.failure(A, early), None);
        assert_eq!(throttle.failure(A, early.plus_secs(60)), None);
    }
}
