//! The control plane's port to the audit log on disk.

use async_trait::async_trait;
use keyless_audit::{AuditEvent, Category};
use keyless_control::{ActivityQuery, ActivityReader, ActivityUnavailable};
use keyless_store::Blocking;
use keyless_store::audit_log::{AuditReader, Filter, Order};

/// The control events of a log that this process writes.
#[derive(Debug)]
pub(crate) struct ActivityLog {
    reader: AuditReader,
    reading: Blocking,
}

/// Readers at once, and those who may wait: each goes through files.
const AT_ONCE: usize = 2;
const WAITING: usize = 32;

impl ActivityLog {
    pub(crate) fn new(reader: AuditReader) -> Self {
        Self { reader, reading: Blocking::new(AT_ONCE, WAITING) }
    }
}

#[async_trait]
impl ActivityReader for ActivityLog {
    async fn control_events(&self, query: &ActivityQuery) -> Result<Vec<AuditEvent>, ActivityUnavailable> {
        let (reader, query) = (self.reader.clone(), query.clone());
        // Reads files: not for a thread that answers calls.
        self.reading.run(move || newest_first(&reader, &query)).await.map_err(|error| ActivityUnavailable(error.into()))?
    }
}

fn newest_first(reader: &AuditReader, query: &ActivityQuery) -> Result<Vec<AuditEvent>, ActivityUnavailable> {
    let filter = Filter {
        scope: Some(query.scope.clone()),
        until: Some(query.until),
        category: Some(Category::Control),
        request_id: query.correlation,
        ..Filter::default()
    };
    let entries = reader.events(Order::NewestFirst, filter).map_err(|error| ActivityUnavailable(error.into()))?;
    // The start of the time asked for ends the reading, so that a long log costs no more than a short one.
    let in_time =
        |entry: &Result<_, _>| entry.as_ref().map_or(true, |entry: &keyless_store::audit_log::Entry| entry.event.time >= query.from);
    let events = entries.take_while(in_time).take(query.limit).map(|entry| entry.map(|entry| entry.event));
    events.collect::<Result<_, _>>().map_err(|error| ActivityUnavailable(error.into()))
}
