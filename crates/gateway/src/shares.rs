//! What callers have of the gateway at a time: calls under way, and bytes of their bodies in memory. A bound for all calls together, and
//! one for each caller.
//!
//! A body is held until the model server takes it. Without a bound, a few hundred streams of one connection would be gigabytes; without
//! a share, one caller could keep everybody else out. No more calls are under way than the audit log keeps events of, should the disk
//! be full when their answers end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyless_model::ObjectId;

/// A caller may hold this part of all bytes.
const SHARE: u64 = 4;

/// How much there may be at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) bytes: u64,
    pub(crate) calls: usize,
    pub(crate) calls_of_one: usize,
}

/// Whose bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowded {
    Caller,
    Everyone,
}

/// The calls of this process, counted.
#[derive(Debug)]
pub(crate) struct Shares {
    bounds: Bounds,
    bytes: AtomicU64,
    under_way: Mutex<UnderWay>,
}

/// An entry for each caller who has a call under way, and so as many as there are calls, at most.
#[derive(Debug, Default)]
struct UnderWay {
    calls: usize,
    callers: HashMap<Whose, Share>,
}

/// Whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    Principal(ObjectId),
    Key(Arc<str>),
}

#[derive(Debug, Default)]
struct Share {
    calls: usize,
    bytes: Arc<AtomicU64>,
}

/// The place of a call that is under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    shares: Arc<Shares>,
    whose: Whose,
    bytes: Arc<AtomicU64>,
}

impl Shares {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self { bounds, bytes: AtomicU64::new(0), under_way: Mutex::default() })
    }

    /// Bytes of request bodies in memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Calls under way.
    pub(crate) fn calls(&self) -> usize {
        self.lock().calls
    }

    /// A place for one more call of this caller.
    ///
    /// # Errors
    /// When there are too many already, of this caller or of all.
    pub(crate) fn seat(self: &Arc<Self>, whose: Whose) -> Result<Arc<Seat>, Crowded> {
        let mut guard = self.lock();
        let under_way = &mut *guard;
        if under_way.calls >= self.bounds.calls {
            return Err(Crowded::Everyone);
        }
        if under_way.callers.get(&whose).is_some_and(|share| share.calls >= self.bounds.calls_of_one) {
            return Err(Crowded::Caller);
        }
        under_way.calls += 1;
        let share = under_way.callers.entry(whose.clone()).or_default();
        share.calls += 1;
        let bytes = Arc::clone(&share.bytes);
        drop(guard);
        Ok(Arc::new(Seat { shares: Arc::clone(self), whose, bytes }))
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut under_way = self.shares.lock();
        under_way.calls -= 1;
        if let Some(share) = under_way.callers.get_mut(&self.whose) {
            share.calls -= 1;
            if share.calls == 0 {
                under_way.callers.remove(&self.whose);
            }
        }
    }
}

/// The bytes that one call holds; given back as they leave, and at the end of the call whatever becomes of it.
#[derive(Debug)]
pub(crate) struct Held {
    seat: Arc<Seat>,
    bytes: u64,
}

impl Held {
    /// Nothing yet.
    pub(crate) const fn by(seat: Arc<Seat>) -> Self {
        Self { seat, bytes: 0 }
    }

    /// # Errors
    /// When `more` bytes would be too many, for this caller or for all.
    pub(crate) fn grow(&mut self, more: u64) -> Result<(), Crowded> {
        let (shares, most) = (&self.seat.shares, self.seat.shares.bounds.bytes);
        let take = |count: &AtomicU64, bound: u64| {
            let fits = count.fetch_add(more, Ordering::Relaxed).saturating_add(more) <= bound;
            if !fits {
                count.fetch_sub(more, Ordering::Relaxed);
            }
            fits
        };
        if !take(&self.seat.bytes, most / SHARE) {
            return Err(Crowded::Caller);
        }
        if !take(&shares.bytes, most) {
            self.seat.bytes.fetch_sub(more, Ordering::Relaxed);
            return Err(Crowded::Everyone);
        }
        self.bytes += more;
        Ok(())
    }

    /// So many bytes have left. What the gateway itself put into the body was never counted.
    pub(crate) fn shrink(&mut self, less: u64) {
        let less = less.min(self.bytes);
        self.bytes -= less;
        self.seat.bytes.fetch_sub(less, Ordering::Relaxed);
        self.seat.shares.bytes.fetch_sub(less, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 1000, calls: 8, calls_of_one: 3 };

    fn seat(shares: &Arc<Shares>, key: &str) -> Result<Arc<Seat>, Crowded> {
        shares.seat(Whose::Key(key.into()))
    }

    fn held(shares: &Arc<Shares>, key: &str) -> Held {
        Held::by(seat(shares, key).unwrap())
    }

    #[test]
    fn one_caller_cannot_take_the_memory_of_all_d4() {
        let shares = Shares::new(BOUNDS);
        let (mut one, mut more, mut other) = (held(&shares, "a"), held(&shares, "a"), held(&shares, "b"));
        one.grow(200).unwrap();
        assert_eq!(more.grow(51), Err(Crowded::Caller), "two calls of one caller share");
        more.grow(50).unwrap();
        other.grow(250).unwrap();
        assert_eq!(shares.bytes(), 500);
    }

    #[test]
    fn all_callers_together_stay_below_the_bound_and_everything_is_given_back_d4() {
        let shares = Shares::new(BOUNDS);
        let mut calls: Vec<Held> = ["a", "b", "c", "d", "e"].map(|key| held(&shares, key)).into();
        calls.iter_mut().take(4).for_each(|held| held.grow(250).unwrap());
        assert_eq!(calls[4].grow(1), Err(Crowded::Everyone));
        calls[0].shrink(9999);
        calls[4].grow(250).unwrap();
        assert_eq!(shares.bytes(), 1000);
        drop(calls);
        assert_eq!(shares.bytes(), 0);
        assert!(shares.lock().callers.is_empty());
    }

    /// Nobody chooses an id so that another's bytes count for it.
    #[test]
    fn no_two_callers_share_a_place() {
        let shares = Shares::new(Bounds { bytes: 100_000, calls: 10_000, calls_of_one: 1 });
        let mut calls: Vec<Held> = (0..10_000).map(|number| held(&shares, &number.to_string())).collect();
        calls.iter_mut().for_each(|held| held.grow(10).unwrap());
        assert!(calls.iter().all(|held| held.seat.bytes.load(Ordering::Relaxed) == 10));
    }

    #[test]
    fn calls_under_way_have_a_bound_for_one_and_for_all() {
        let shares = Shares::new(BOUNDS);
        let mut seats: Vec<_> = ["a", "a", "a", "b", "b", "b", "c", "c"].map(|key| seat(&shares, key).unwrap()).into();
        assert_eq!(seat(&shares, "c").unwrap_err(), Crowded::Everyone);
        seats.truncate(7);
        assert_eq!(seat(&shares, "a").unwrap_err(), Crowded::Caller);
        // A body on its way to the model server keeps its call's place.
        let held = Held::by(seat(&shares, "c").unwrap());
        drop(seats);
        assert_eq!(shares.calls(), 1);
        assert_eq!(shares.lock().callers.len(), 1);
        drop(held);
        assert!(shares.lock().callers.is_empty());
    }
}
