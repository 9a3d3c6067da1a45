//! A count that starts anew in every period, in one atomic word.

use std::sync::atomic::{AtomicU64, Ordering};

use keyless_model::Timestamp;

/// The high bits number the period, the low ones count what was taken in it.
const COUNT_BITS: u32 = 36;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const PERIOD_MASK: u64 = (1 << (64 - COUNT_BITS)) - 1;

/// What was taken since the period began.
#[derive(Debug, Default)]
pub(super) struct Window(AtomicU64);

/// The period in which something was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reserved {
    period: u64,
}

impl Window {
    /// Takes `amount` out of `limit` and says what is left; or in how many milliseconds the next period begins.
    pub(super) fn reserve(&self, now: Timestamp, period_millis: u64, limit: u64, amount: u64) -> Result<(Reserved, u64), u64> {
        let limit = limit.min(COUNT_MASK);
        let mut current = self.0.load(Ordering::Relaxed);
        loop {
            let (period, used) = self.at(current, now, period_millis);
            let Some(next) = used.checked_add(amount).filter(|next| *next <= limit) else {
                return Err(period_millis - millis(now) % period_millis);
            };
            match self.0.compare_exchange_weak(current, pack(period, next), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok((Reserved { period }, limit - next)),
                Err(moved) => current = moved,
            }
        }
    }

    /// What is left of `limit` now.
    pub(super) fn left(&self, now: Timestamp, period_millis: u64, limit: u64) -> u64 {
        limit.min(COUNT_MASK).saturating_sub(self.at(self.0.load(Ordering::Relaxed), now, period_millis).1)
    }

    /// Replaces `estimate`, taken earlier, by what was `used`. When its period is over, only an excess is carried into the present
    /// one: nobody gains by letting an answer run across the minute.
    pub(super) fn settle(&self, reserved: Reserved, estimate: u64, used: u64) {
        self.change(|period, count| {
            if period == reserved.period {
                count.saturating_sub(estimate).saturating_add(used)
            } else {
                count.saturating_add(used.saturating_sub(estimate))
            }
        });
    }

    /// Gives one back that was taken just now.
    pub(super) fn give_back(&self, now: Timestamp, period_millis: u64) {
        let this = number(now, period_millis);
        self.change(|period, count| if period == this { count.saturating_sub(1) } else { count });
    }

    /// Whether nothing was taken in the present period.
    pub(super) fn is_over(&self, now: Timestamp, period_millis: u64) -> bool {
        self.at(self.0.load(Ordering::Relaxed), now, period_millis).1 == 0
    }

    fn change(&self, change: impl Fn(u64, u64) -> u64) {
        let step = |current| {
            let period = current >> COUNT_BITS;
            Some(pack(period, change(period, current & COUNT_MASK)))
        };
        // The closure never declines, so this cannot fail.
        _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
    }

    /// The period to count in, and what was taken in it. A clock that goes back stays in the period it had reached: it must not
    /// hand out the same minute twice.
    fn at(&self, current: u64, now: Timestamp, period_millis: u64) -> (u64, u64) {
        let (stored, this) = (current >> COUNT_BITS, number(now, period_millis));
        let ahead = this.wrapping_sub(stored) & PERIOD_MASK;
        let count = current & COUNT_MASK;
        if count == 0 || (ahead != 0 && ahead <= PERIOD_MASK / 2) { (this, 0) } else { (stored, count) }
    }
}

const fn pack(period: u64, count: u64) -> u64 {
    period << COUNT_BITS | if count > COUNT_MASK { COUNT_MASK } else { count }
}

const fn number(now: Timestamp, period_millis: u64) -> u64 {
    (millis(now) / period_millis) & PERIOD_MASK
}

const fn millis(now: Timestamp) -> u64 {
    now.unix_millis().unsigned_abs()
}
