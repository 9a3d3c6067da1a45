//! The time that a running system goes by: the machine's wall clock without its sudden steps.
//!
//! A step (a wrong time server, a hand on the clock) would end every token at once or date new ones ahead of everybody else's time.
//! So one that is larger than verifiers tolerate is followed only when it has held for a while. What passes in between is measured
//! by a clock that nobody sets and that goes on while the machine sleeps. It does not know which of two times is right; nobody here
//! does.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use keyless_model::{Clock, Timestamp};

use crate::system::SystemClock;

/// Steps up to this are followed at once, in milliseconds: verifiers tolerate a minute.
const FOLLOWED_MILLIS: i64 = 60_000;
/// A larger step is followed once it has held this long, in milliseconds.
const HELD_MILLIS: i64 = 600_000;

/// The two clocks of a machine, in milliseconds.
pub(crate) trait Machine: Debug + Send + Sync {
    /// Since 1970, as the machine believes.
    fn wall(&self) -> i64;
    /// Since some moment; only ever forward, at the rate of time.
    fn elapsed(&self) -> i64;
}

/// This machine.
#[derive(Debug)]
pub(crate) struct ThisMachine;

impl Machine for ThisMachine {
    fn wall(&self) -> i64 {
        SystemClock.now().unix_millis()
    }

    fn elapsed(&self) -> i64 {
        // The boot clock counts sleep, which the monotonic clock leaves out.
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        now.tv_sec.saturating_mul(1000).saturating_add(now.tv_nsec / 1_000_000)
    }
}

/// The wall clock, whose large steps have to hold before they count.
#[derive(Debug)]
pub(crate) struct SteadyClock<M = ThisMachine> {
    machine: M,
    /// Wall minus elapsed, as trusted.
    offset: AtomicI64,
    /// A step is being waited for: spares the lock on every other call.
    waiting: AtomicBool,
    step: Mutex<Option<Step>>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// Wall minus elapsed after it.
    offset: i64,
    /// When it was noticed, on the clock that nobody sets.
    noticed: i64,
}

impl<M: Machine> SteadyClock<M> {
    /// Trusts the wall clock as it stands now.
    pub(crate) fn new(machine: M) -> Self {
        let offset = machine.wall() - machine.elapsed();
        Self { machine, offset: offset.into(), waiting: false.into(), step: Mutex::default() }
    }

    /// The time while the wall clock says something else.
    fn stepped(&self, wall: i64, elapsed: i64, trusted: i64) -> i64 {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = wall - elapsed;
        match *step {
            Some(known) if (offset - known.offset).abs() <= FOLLOWED_MILLIS => {
                if elapsed - known.noticed < HELD_MILLIS {
                    return trusted + elapsed;
                }
                tracing::warn!(seconds = (offset - trusted) / 1000, "the machine's clock kept its new time for ten minutes; following it");
                self.offset.store(offset, Ordering::Relaxed);
                self.waiting.store(false, Ordering::Relaxed);
                *step = None;
                wall
            }
            _ => {
                tracing::warn!(
                    seconds = (offset - trusted) / 1000,
                    "the machine's clock stepped; going on by the time before, and following the new one if it holds for ten minutes \
                     (a restart follows it at once)"
                );
                *step = Some(Step { offset, noticed: elapsed });
                self.waiting.store(true, Ordering::Relaxed);
                trusted + elapsed
            }
        }
    }

    fn stepped_back(&self) {
        tracing::warn!("the machine's clock is back at the time that was trusted");
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.waiting.store(false, Ordering::Relaxed);
    }
}

impl<M: Machine> Clock for SteadyClock<M> {
    fn now(&self) -> Timestamp {
        let (wall, elapsed) = (self.machine.wall(), self.machine.elapsed());
        let trusted = self.offset.load(Ordering::Relaxed);
        let now = if (wall - elapsed - trusted).abs() <= FOLLOWED_MILLIS {
            self.offset.store(wall - elapsed, Ordering::Relaxed);
            if self.waiting.load(Ordering::Relaxed) {
                self.stepped_back();
            }
            wall
        } else {
            self.stepped(wall, elapsed, trusted)
        };
        Timestamp::from_unix_millis(now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const START: i64 = 1_795_219_200_000;
    const DAY: i64 = 86_400_000;
    const MINUTE: i64 = 60_000;

    #[derive(Debug, Clone)]
    struct Hands {
        wall: Arc<AtomicI64>,
        elapsed: Arc<AtomicI64>,
    }

    impl Machine for Hands {
        fn wall(&self) -> i64 {
            self.wall.load(Ordering::SeqCst)
        }

        fn elapsed(&self) -> i64 {
            self.elapsed.load(Ordering::SeqCst)
        }
    }

    impl Hands {
        fn pass(&self, millis: i64) {
            self.wall.fetch_add(millis, Ordering::SeqCst);
            self.elapsed.fetch_add(millis, Ordering::SeqCst);
        }

        fn step(&self, millis: i64) {
            self.wall.fetch_add(millis, Ordering::SeqCst);
        }
    }

    fn clock() -> (Hands, SteadyClock<Hands>) {
        let hands = Hands { wall: Arc::new(START.into()), elapsed: Arc::new(5_000.into()) };
        (hands.clone(), SteadyClock::new(hands))
    }

    /// Milliseconds since the start.
    fn at(clock: &SteadyClock<Hands>) -> i64 {
        clock.now().unix_millis() - START
    }

    #[test]
    fn a_step_is_not_followed_until_it_has_held_f6() {
        for step in [5 * MINUTE, -5 * MINUTE, DAY, -DAY] {
            let (hands, clock) = clock();
            hands.pass(MINUTE);
            assert_eq!(at(&clock), MINUTE);
            hands.step(step);
            for minute in 0..10 {
                assert_eq!(at(&clock), MINUTE + minute * MINUTE, "{step}");
                hands.pass(MINUTE);
            }
            assert_eq!(at(&clock), 11 * MINUTE + step, "it held for ten minutes");
            hands.pass(MINUTE);
            assert_eq!(at(&clock), 12 * MINUTE + step);
        }
    }

    #[test]
    fn a_step_that_is_taken_back_leaves_no_trace_f6() {
        let (hands, clock) = clock();
        hands.step(DAY);
        assert_eq!(at(&clock), 0);
        hands.pass(9 * MINUTE);
        assert_eq!(at(&clock), 9 * MINUTE);
        hands.step(-DAY);
        assert_eq!(at(&clock), 9 * MINUTE);
        hands.step(DAY);
        hands.pass(2 * MINUTE);
        assert_eq!(at(&clock), 11 * MINUTE, "the second step is waited for anew");
    }

    #[test]
    fn a_second_step_starts_the_wait_again_f6() {
        let (hands, clock) = clock();
        hands.step(DAY);
        assert_eq!(at(&clock), 0);
        hands.pass(9 * MINUTE);
        hands.step(DAY);
        assert_eq!(at(&clock), 9 * MINUTE);
        hands.pass(2 * MINUTE);
        assert_eq!(at(&clock), 11 * MINUTE);
        hands.pass(8 * MINUTE);
        assert_eq!(at(&clock), 19 * MINUTE + 2 * DAY);
    }

    #[test]
    fn small_corrections_and_sleep_are_followed_at_once() {
        let (hands, clock) = clock();
        for correction in [500, -500, MINUTE, -MINUTE] {
            let before = at(&clock);
            hands.step(correction);
            assert_eq!(at(&clock), before + correction);
        }
        // A machine that slept for a night: both clocks went on.
        let before = at(&clock);
        hands.pass(8 * 60 * MINUTE);
        assert_eq!(at(&clock), before + 8 * 60 * MINUTE);
    }
}
