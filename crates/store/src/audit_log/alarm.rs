//! What the program's own log says of a log that cannot be written: at once that it is so, then once a minute how much was refused. Whoever
//! fills a disk must not fill the next one with complaints of it.

use std::sync::{Mutex, PoisonError};

use keyless_audit::AuditUnavailable;
use keyless_model::Timestamp;

const MINUTE_MILLIS: i64 = 60_000;

/// When it was last said, and how many events were refused since.
#[derive(Debug, Default)]
pub(super) struct Alarm(Mutex<(Option<Timestamp>, u64)>);

impl Alarm {
    /// `events` could not be written for `error`.
    pub(super) fn failed(&self, now: Timestamp, events: u64, error: &AuditUnavailable) {
        if let Some(refused) = self.due(now, events) {
            let reason = &error.reason;
            tracing::error!(%reason, refused, "the audit log cannot be written; calls are refused until it can; free disk space or repair the disk");
        }
    }

    /// The log can be written again: what comes next is an outage of its own, told at once and with its own numbers.
    pub(super) fn over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (None, 0);
    }

    /// How many events to speak of, when it is time to.
    fn due(&self, now: Timestamp, events: u64) -> Option<u64> {
        let (last, refused) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *refused += events;
        // A clock that was set back must not keep it silent.
        if last.is_some_and(|last| (0..MINUTE_MILLIS).contains(&now.millis_since(last))) {
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(refused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_spoken_of_at_once_and_then_once_a_minute_with_the_number() {
        let (alarm, start) = (Alarm::default(), Timestamp::from_unix_secs(1_000));
        let said: Vec<u64> = (0..3 * 60 * 10).filter_map(|tenth| alarm.due(start.plus_millis(tenth * 100), 1)).collect();
        assert_eq!(said, [1, 600, 600], "1,800 calls were refused in three minutes");
        assert_eq!(alarm.due(start, 1), Some(600), "the clock was set back");
    }

    #[test]
    fn an_outage_after_a_recovery_is_spoken_of_at_once_with_its_own_number_d15() {
        let (alarm, start) = (Alarm::default(), Timestamp::from_unix_secs(1_000));
        assert_eq!([alarm.due(start, 1), alarm.due(start, 5)], [Some(1), None]);
        alarm.over();
        assert_eq!(alarm.due(start.plus_millis(10), 2), Some(2));
    }
}
