//! Slows down whoever does too much of something. It does not know what: guess a client's credential, a person's user code.
//!
//! By hand: `governor` has no bound on the keys it remembers.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use keyless_model::Timestamp;

/// Keys remembered at most. At the bound a tenth of them leaves at once, those with the emptiest buckets: so that a crowd of keys
/// costs neither memory nor, each time, a walk through all of them.
const MAX_KEYS: usize = 100_000;

/// Counts failures per key in a leaky bucket: so many may come at once, then one more each time a share of the period has
/// passed. Successes are the caller's business: of clients they are never slowed, because client ids are no secret, and otherwise
/// anyone could lock a client out.
#[derive(Debug)]
pub(crate) struct Throttle<K> {
    at_once: u32,
    period_millis: i64,
    most: usize,
    /// The moment at which the key's bucket will be empty again.
    empty_at: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Hash + Eq + Copy> Throttle<K> {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self::over(per_minute, 60)
    }

    /// So many at once, and as many more in each period.
    pub(crate) fn over(at_once: u32, period_secs: u32) -> Self {
        Self { at_once: at_once.max(1), period_millis: i64::from(period_secs) * 1000, most: MAX_KEYS, empty_at: Mutex::new(HashMap::new()) }
    }

    /// Notes a failure. When there were too many, the seconds after which to try again.
    pub(crate) fn failure(&self, key: K, now: Timestamp) -> Option<u32> {
        let mut buckets = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= self.most && !buckets.contains_key(&key) {
            make_room(&mut buckets, self.most);
        }
        match self.next(buckets.get(&key).copied(), now) {
            Ok(next) => {
                buckets.insert(key, next);
                None
            }
            Err(wait) => Some(wait),
        }
    }

    /// The seconds until another one would be taken; none when it would now.
    pub(crate) fn wait(&self, key: K, now: Timestamp) -> Option<u32> {
        let buckets = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.next(buckets.get(&key).copied(), now).err()
    }

    /// When the bucket will be empty with one more in it, or the seconds until there is room for one.
    fn next(&self, empty_at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, u32> {
        let share = self.period_millis / i64::from(self.at_once);
        let latest = now.plus_millis(self.period_millis);
        // No bucket takes more than the period to drain: one that would is from before the clock was set back, and locks nobody out.
        let empty_at = empty_at.filter(|empty_at| *empty_at <= latest).unwrap_or(now).max(now);
        let next = empty_at.plus_millis(share);
        if next > latest {
            return Err(u32::try_from(next.millis_since(latest) / 1000 + 1).unwrap_or(60));
        }
        Ok(next)
    }
}

fn make_room<K: Hash + Eq + Copy>(buckets: &mut HashMap<K, Timestamp>, most: usize) {
    let mut emptiest: Vec<(Timestamp, K)> = buckets.iter().map(|(key, empty_at)| (*empty_at, *key)).collect();
    let leaving = (most / 10).max(1).min(emptiest.len());
    if leaving < emptiest.len() {
        emptiest.select_nth_unstable_by_key(leaving, |(empty_at, _)| *empty_at);
    }
    for (_, key) in &emptiest[..leaving] {
        buckets.remove(key);
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
    fn failures_side_by_side_count_like_others_n73() {
        let throttle = Throttle::new(60);
        let now = Timestamp::from_unix_secs(1_700_000_000);
        let free = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let passed = (0..100).filter(|_| throttle.failure(A, now).is_none()).count();
                    free.fetch_add(passed, std::sync::atomic::Ordering::SeqCst);
                });
            }
        });
        assert_eq!(free.into_inner(), 60);
    }

    #[test]
    fn what_one_client_keeps_in_use_is_a_share_and_others_have_theirs_i8() {
        let shares = Throttle::over(50, 3900);
        let now = Timestamp::from_unix_secs(1_700_000_000);
        let taken = (0..1000).take_while(|_| shares.wait(A, now).is_none() && shares.failure(A, now).is_none()).count();
        assert_eq!((taken, shares.wait(B, now)), (50, None));
        assert_eq!((shares.wait(A, now), shares.wait(A, now.plus_secs(78))), (Some(79), None));
    }

    #[test]
    fn a_crowd_of_keys_does_not_free_one_that_is_slowed_i15() {
        let throttle = Throttle { most: 100, ..Throttle::new(2) };
        let now = Timestamp::from_unix_secs(1_700_000_000);
        for _ in 0..3 {
            _ = throttle.failure(A, now);
        }
        for n in 10..5_000 {
            assert_eq!(throttle.failure(ClientId::from_u128(n), now), None);
            assert!(throttle.empty_at.lock().unwrap().len() <= 100);
        }
        assert!(throttle.failure(A, now).is_some());
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
