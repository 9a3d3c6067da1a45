//! The control plane's port to the audit log on disk.

use std::sync::Arc;

use async_trait::async_trait;
use keyless_audit::{AuditEvent, Category};
use keyless_control::{ActivityQuery, ActivityReader, ActivityUnavailable};
use keyless_store::Blocking;
use keyless_store::audit_log::{AuditReader, Filter};

/// The control events of a log that this process writes.
#[derive(Debug)]
pub(crate) struct ActivityLog {
    reader: AuditReader,
    reading: Blocking,
}

/// One reader at a time, and those who may wait: each goes through files, and reads are for people.
const AT_ONCE: usize = 1;
const WAITING: usize = 16;

impl ActivityLog {
    pub(crate) fn new(reader: AuditReader) -> Self {
        Self { reader, reading: Blocking::new(AT_ONCE, WAITING) }
    }
}

#[async_trait]
impl ActivityReader for ActivityLog {
    async fn control_events(&self, query: &ActivityQuery) -> Result<Vec<AuditEvent>, ActivityUnavailable> {
        let (reader, query) = (self.reader.clone(), query.clone());
        let waited_for = Arc::new(());
        let caller = Arc::downgrade(&waited_for);
        // Reads files: not for a thread that answers calls. The work cannot be cancelled, so it looks whether its caller still waits.
        self.reading
            .run(move || newest_first(&reader, &query, &|| caller.strong_count() == 0))
            .await
            .map_err(|error| ActivityUnavailable(error.into()))?
    }
}

fn newest_first(reader: &AuditReader, query: &ActivityQuery, gone: &dyn Fn() -> bool) -> Result<Vec<AuditEvent>, ActivityUnavailable> {
    let filter = Filter {
        scope: Some(query.scope.clone()),
        since: Some(query.from),
        until: Some(query.until),
        category: Some(Category::Control),
        request_id: query.correlation,
        ..Filter::default()
    };
    let entries = reader.recent(&filter, query.limit, gone).map_err(|error| ActivityUnavailable(error.into()))?;
    Ok(entries.into_iter().map(|entry| entry.event).collect())
}
