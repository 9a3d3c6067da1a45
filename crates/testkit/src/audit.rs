//! An audit sink that remembers, and that fails when told to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use keyless_audit::{AuditEvent, AuditSink, AuditUnavailable};

/// Keeps events in memory, in order.
#[derive(Debug, Default)]
pub struct MemoryAudit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    events: Vec<AuditEvent>,
    broken: Option<AuditUnavailable>,
    kept: Vec<AuditEvent>,
}

impl MemoryAudit {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on nothing can be written, for `reason`.
    pub fn fail(&self, reason: &str) {
        self.state().broken = Some(AuditUnavailable { reason: reason.to_owned() });
    }

    /// Events can be written again, first those that were kept.
    pub fn recover(&self) {
        let mut state = self.state();
        state.broken = None;
        let kept = std::mem::take(&mut state.kept);
        state.events.extend(kept);
    }

    /// Everything recorded so far.
    #[must_use]
    pub fn events(&self) -> Vec<AuditEvent> {
        self.state().events.clone()
    }

    /// Everything recorded so far; forgets it.
    #[must_use]
    pub fn take(&self) -> Vec<AuditEvent> {
        std::mem::take(&mut self.state().events)
    }

    /// The latest event.
    ///
    /// # Panics
    /// When nothing was recorded: a test that asks for it expects one.
    #[must_use]
    pub fn last(&self) -> AuditEvent {
        self.state().events.last().cloned().expect("an audit event should have been recorded")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditSink for MemoryAudit {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        let mut state = self.state();
        if let Some(broken) = &state.broken {
            return Err(broken.clone());
        }
        state.events.push(event.clone());
        Ok(())
    }

    fn keep(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        let mut state = self.state();
        let list = if state.broken.is_some() { &mut state.kept } else { &mut state.events };
        list.push(event.clone());
        drop(state);
        Ok(())
    }

    fn ready(&self) -> Result<(), AuditUnavailable> {
        self.state().broken.clone().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use keyless_audit::{Category, Outcome};
    use keyless_model::{Actor, OpContext, RequestId, Timestamp};

    use super::*;

    #[test]
    fn a_failing_sink_keeps_nothing_until_it_recovers() {
        let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::default(), Actor::Anonymous);
        let event = AuditEvent::new(&ctx, Category::Data, "ChatCompletions_Create", Outcome::Allowed);
        let audit = MemoryAudit::new();
        audit.fail("disk full");
        assert!(audit.ready().is_err() && audit.record(&event).is_err() && audit.events().is_empty());
        audit.recover();
        audit.record(&event).unwrap();
        assert_eq!(audit.take(), [event]);
        assert!(audit.events().is_empty());
    }
}
