//! Events on their way to the audit log, and what becomes of those that cannot be written.

use std::sync::Arc;

use keyless_audit::{AuditEvent, AuditSink, AuditUnavailable, Outcome};

use crate::shares::Seat;

/// What becomes of an answer without a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwritten {
    /// Nothing of it has left: it is refused, and there is nothing to record.
    Withheld,
    /// A part of it may have left, so its event is kept until it can be written.
    BrokenOff,
}

/// An event to be written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) event: AuditEvent,
    pub(super) unwritten: Unwritten,
    /// Its call counts as under way until then.
    pub(super) seat: Option<Arc<Seat>>,
}

/// Writes all of them or, on an error, keeps those whose answers have left in part.
pub(super) fn write(audit: &dyn AuditSink, entries: Vec<Entry>) -> Result<(), AuditUnavailable> {
    let (rest, events): (Vec<_>, Vec<_>) = entries.into_iter().map(|entry| ((entry.unwritten, entry.seat), entry.event)).unzip();
    audit.record_all(&events).inspect_err(|error| {
        let broken_off = events.into_iter().zip(rest).filter(|(_, (unwritten, _))| *unwritten == Unwritten::BrokenOff);
        for (mut event, _) in broken_off {
            if event.outcome == Outcome::Allowed {
                event.outcome = Outcome::Failed;
                if let Some(decision) = &mut event.decision {
                    decision.because = format!("the answer broke off, as the audit log could not be written ({})", decision.because).into();
                }
            }
            if let Err(lost) = audit.keep(&event) {
                tracing::debug!(%lost, %error, request_id = %event.request_id, "the event of an answer that broke off is lost");
            }
        }
    })
}
