//! The control plane's port to the audit log on disk.

use std::sync::Arc;

use async_trait::async_trait;
use keyless_audit::{AuditEvent, Category};
use keyless_control::{ActivityQuery, ActivityReader, ActivityUnavailable};
use keyless_store::Blocking;
use keyless_store::audit_log::{AuditLog, AuditLogError, Filter};

/// The control events of a log that this process writes.
#[derive(Debug)]
pub(crate) struct ActivityLog {
    log: Arc<AuditLog>,
    reading: Blocking,
}

/// One reader at a time, and those who may wait: each goes through files, and reads are for people.
const AT_ONCE: usize = 1;
const WAITING: usize = 16;

impl ActivityLog {
    pub(crate) fn new(log: Arc<AuditLog>) -> Self {
        Self { log, reading: Blocking::new(AT_ONCE, WAITING) }
    }
}

#[async_trait]
impl ActivityReader for ActivityLog {
    async fn control_events(&self, query: &ActivityQuery) -> Result<Vec<AuditEvent>, ActivityUnavailable> {
        let (log, query) = (Arc::clone(&self.log), query.clone());
        let waited_for = Arc::new(());
        let caller = Arc::downgrade(&waited_for);
        // Reads files: not for a thread that answers calls. The work cannot be cancelled, so it looks whether its caller still waits.
        self.reading
            .run(move || newest_first(&log, &query, &|| caller.strong_count() == 0))
            .await
            .map_err(|error| ActivityUnavailable(error.into()))?
            .map_err(|error| ActivityUnavailable(error.into()))
    }
}

fn newest_first(log: &AuditLog, query: &ActivityQuery, gone: &dyn Fn() -> bool) -> Result<Vec<AuditEvent>, AuditLogError> {
    let filter = Filter {
        scope: Some(query.scope.clone()),
        since: Some(query.from),
        until: Some(query.until),
        category: Some(Category::Control),
        request_id: query.correlation,
        ..Filter::default()
    };
    let found = log.reader().recent(&filter, query.limit, gone)?;
    if let Some(changed) = found.changed {
        log.note_changed(&changed)?;
    }
    Ok(found.events)
}
