//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use keyless_model::{Clock, Timestamp};

/// Where the clock of a fixture starts: 2026-11-21T00:00:00Z.
const START_SECS: i64 = 1_795_219_200;

/// Time as a test wants it. Share it by `Arc` with what is under test.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.unix_millis()))
    }

    /// Moves to `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.unix_millis(), Ordering::SeqCst);
    }

    /// Lets `secs` seconds pass; a negative number turns the clock back.
    pub fn advance_secs(&self, secs: i64) {
        self.advance_millis(secs.saturating_mul(1000));
    }

    pub fn advance_millis(&self, millis: i64) {
        self.set(self.now().plus_millis(millis));
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::at(Timestamp::from_unix_secs(START_SECS))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_only_when_told() {
        let clock = ManualClock::default();
        assert_eq!(clock.now().rfc3339(), "2026-11-21T00:00:00Z");
        assert_eq!(clock.now(), clock.now());
        clock.advance_secs(90);
        clock.advance_millis(-500);
        assert_eq!(clock.now().rfc3339(), "2026-11-21T00:01:29.5Z");
    }
}
