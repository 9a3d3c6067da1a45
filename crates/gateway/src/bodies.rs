//! How many bytes of request bodies are in memory: a bound for all calls together, and one for each caller.
//!
//! A body is held until the model server takes it. Without a bound, a few hundred streams of one connection would be gigabytes; without
//! a share, one caller could keep everybody else out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::authenticate::Identity;

/// A caller may hold this part of all.
const SHARE: u64 = 4;
/// Shares are counted in this many places, without a lock. Two callers in one place share it.
const PLACES: usize = 4096;

/// Whose bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowded {
    Caller,
    Everyone,
}

/// The bytes held by this process.
#[derive(Debug)]
pub(crate) struct Bodies {
    most: u64,
    all: AtomicU64,
    shares: Box<[AtomicU64]>,
}

/// The bytes that one call holds; given back as they leave, and at the end of the call whatever becomes of it.
#[derive(Debug)]
pub(crate) struct Held {
    bodies: Arc<Bodies>,
    place: usize,
    bytes: u64,
}

impl Bodies {
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, all: AtomicU64::new(0), shares: (0..PLACES).map(|_| AtomicU64::new(0)).collect() })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    /// Nothing yet, for this caller.
    pub(crate) fn held_for(self: &Arc<Self>, identity: &Identity) -> Held {
        let place = match identity {
            // Object ids are random, and so spread by themselves.
            Identity::Principal(caller) => caller.principal.id.uuid().as_u64_pair().1,
            // So is the fingerprint, which is a digest: its digits, taken as one number.
            Identity::Key { fingerprint } => {
                fingerprint.bytes().fold(0, |number: u64, digit| number.wrapping_mul(31).wrapping_add(digit.into()))
            }
        };
        Held { bodies: Arc::clone(self), place: usize::try_from(place % PLACES as u64).unwrap_or_default(), bytes: 0 }
    }
}

impl Held {
    /// # Errors
    /// When `more` bytes would be too many, for this caller or for all.
    pub(crate) fn grow(&mut self, more: u64) -> Result<(), Crowded> {
        let Bodies { most, all, shares } = &*self.bodies;
        let take = |count: &AtomicU64, bound: u64| {
            let fits = count.fetch_add(more, Ordering::Relaxed).saturating_add(more) <= bound;
            if !fits {
                count.fetch_sub(more, Ordering::Relaxed);
            }
            fits
        };
        if let Some(share) = shares.get(self.place)
            && !take(share, most / SHARE)
        {
            return Err(Crowded::Caller);
        }
        if !take(all, *most) {
            self.give_back(0, more);
            return Err(Crowded::Everyone);
        }
        self.bytes += more;
        Ok(())
    }

    /// So many bytes have left. What the gateway itself put into the body was never counted.
    pub(crate) fn shrink(&mut self, less: u64) {
        let less = less.min(self.bytes);
        self.bytes -= less;
        self.give_back(less, less);
    }

    fn give_back(&self, all: u64, share: u64) {
        if all > 0 {
            self.bodies.all.fetch_sub(all, Ordering::Relaxed);
        }
        if let Some(count) = self.bodies.shares.get(self.place) {
            count.fetch_sub(share, Ordering::Relaxed);
        }
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

    fn held(bodies: &Arc<Bodies>, key: &str) -> Held {
        bodies.held_for(&Identity::Key { fingerprint: key.into() })
    }

    #[test]
    fn one_caller_cannot_take_the_memory_of_all_d4() {
        let bodies = Bodies::new(1000);
        let (mut one, mut more, mut other) = (held(&bodies, "a"), held(&bodies, "a"), held(&bodies, "b"));
        one.grow(200).unwrap();
        assert_eq!(more.grow(51), Err(Crowded::Caller), "two calls of one caller share");
        more.grow(50).unwrap();
        other.grow(250).unwrap();
        assert_eq!(bodies.bytes(), 500);
    }

    #[test]
    fn all_callers_together_stay_below_the_bound_and_everything_is_given_back_d4() {
        let bodies = Bodies::new(1000);
        let mut calls: Vec<Held> = ["a", "b", "c", "d", "e"].map(|key| held(&bodies, key)).into();
        calls.iter_mut().take(4).for_each(|held| held.grow(250).unwrap());
        assert_eq!(calls[4].grow(1), Err(Crowded::Everyone));
        calls[0].shrink(9999);
        calls[4].grow(250).unwrap();
        assert_eq!(bodies.bytes(), 1000);
        drop(calls);
        assert_eq!(bodies.bytes(), 0);
        assert!(bodies.shares.iter().all(|share| share.load(Ordering::Relaxed) == 0));
    }
}
