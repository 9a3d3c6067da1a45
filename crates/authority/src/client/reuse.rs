//! Whether an assertion that was used before may be used again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use keyless_model::Timestamp;
use keyless_token::replay::{ReplayError, ReplayKey, ReplaySet};

use crate::config::AssertionReuse;

/// Assertions in use at once: at about 250 bytes each, the memory that a flood can take is bounded (fault F22).
const CAPACITY: usize = 200_000;

/// Why an assertion is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReuseError {
    #[error("the assertion was used before, from another address or where reuse is not allowed")]
    Replayed,
    #[error("the assertion was already expired at a later time that this clock has shown")]
    Expired,
    #[error("too many assertions are in use at once")]
    Full,
}

/// Used assertions, and where they came from.
#[derive(Debug)]
pub(crate) struct Reuse {
    policy: AssertionReuse,
    /// An assertion from before this process began may have been used with its predecessor.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    used: ReplaySet,
    sources: HashMap<ReplayKey, (Option<IpAddr>, Timestamp)>,
    /// The latest time seen. SECURITY: entries leave by this clock, so a clock that steps back brings no expired assertion back to
    /// life whose entry has left (fault F7).
    latest: Timestamp,
}

impl Reuse {
    pub(crate) fn new(policy: AssertionReuse) -> Self {
        Self { policy, state: Mutex::new(State { used: ReplaySet::new(CAPACITY), sources: HashMap::new(), latest: Timestamp::default() }) }
    }

    /// Whether nothing may ever be used twice.
    pub(super) const fn is_strict(&self) -> bool {
        matches!(self.policy, AssertionReuse::Never)
    }

    /// Lets an assertion of `signer` through, until when it would be accepted.
    pub(super) fn admit(
        &self,
        signer: &str,
        jti: &str,
        until: Timestamp,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), ReuseError> {
        let key = ReplaySet::key(signer, jti);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.latest = state.latest.max(now);
        let latest = state.latest;
        match state.used.admit(key, until, latest) {
            Ok(()) => {
                state.remember(key, source, until);
                Ok(())
            }
            Err(ReplayError::Replayed) => match (self.policy, state.sources.get(&key)) {
                (AssertionReuse::SameAddress, Some((first, _))) if first.is_some() && *first == source => Ok(()),
                _ => Err(ReuseError::Replayed),
            },
            Err(ReplayError::Full) => Err(ReuseError::Full),
            Err(_) => Err(ReuseError::Expired),
        }
    }
}

impl State {
    fn remember(&mut self, key: ReplayKey, source: Option<IpAddr>, until: Timestamp) {
        if self.sources.len() >= 2 * self.used.len() + 1024 {
            let latest = self.latest;
            self.sources.retain(|_, (_, until)| *until > latest);
        }
        self.sources.insert(key, (source, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }

    fn from(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_used_assertion_works_again_from_the_same_address_only_n40() {
        let reuse = Reuse::new(AssertionReuse::SameAddress);
        assert_eq!(reuse.admit("a", "1", at(100), from(1), at(0)), Ok(()));
        assert_eq!(reuse.admit("a", "1", at(100), from(1), at(50)), Ok(()), "MSAL sends one assertion until it expires");
        assert_eq!(reuse.admit("a", "1", at(100), from(2), at(50)), Err(ReuseError::Replayed));
        assert_eq!(reuse.admit("a", "1", at(100), from(2), at(51)), Err(ReuseError::Replayed), "trying twice does not help");
        assert_eq!(reuse.admit("a", "1", at(100), None, at(50)), Err(ReuseError::Replayed));
        assert_eq!(reuse.admit("a", "2", at(100), None, at(50)), Ok(()));
        assert_eq!(reuse.admit("a", "2", at(100), None, at(50)), Err(ReuseError::Replayed), "two unknown addresses are not one");
    }

    #[test]
    fn nothing_works_twice_where_that_is_the_policy_n40() {
        let reuse = Reuse::new(AssertionReuse::Never);
        assert_eq!(reuse.admit("a", "1", at(100), from(1), at(0)), Ok(()));
        assert_eq!(reuse.admit("a", "1", at(100), from(1), at(0)), Err(ReuseError::Replayed));
    }

    #[test]
    fn a_clock_that_steps_back_brings_no_assertion_back_f7() {
        let reuse = Reuse::new(AssertionReuse::Never);
        reuse.admit("a", "1", at(100), from(1), at(0)).unwrap();
        reuse.admit("a", "2", at(9000), from(1), at(3700)).unwrap();
        assert_eq!(reuse.admit("a", "1", at(100), from(1), at(50)), Err(ReuseError::Expired));
    }

    #[test]
    fn memory_of_addresses_is_bounded_by_what_is_in_use_f22() {
        let reuse = Reuse::new(AssertionReuse::Never);
        for n in 0..20_000_i64 {
            reuse.admit("a", &n.to_string(), at(n + 10), from(1), at(n)).unwrap();
        }
        let state = reuse.state.lock().unwrap();
        assert!(state.used.len() <= 10 && state.sources.len() <= 2 * 10 + 1024, "{} {}", state.used.len(), state.sources.len());
    }
}
