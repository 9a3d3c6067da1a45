//! Waiting for the disk without holding up a thread: what a piece of work wrote is waited for when it is done, elsewhere.
//!
//! Within [`confirmed`], writing an event with [`super::Durability::Strict`] returns once the operating system has it, and the end of the work
//! waits for the disk. Nothing that was written in it may be acted upon outside before that.

use std::cell::Cell;
use std::sync::{Arc, LazyLock};

use keyless_audit::{AuditSink, AuditUnavailable};

use crate::Blocking;

/// Threads that wait for the disk at once; they share flushes. The line before them is as long as there are requests, which have bounds.
const AT_ONCE: usize = 4;

static DISK: LazyLock<Blocking> = LazyLock::new(|| Blocking::new(AT_ONCE, usize::MAX));

tokio::task_local! {
    /// The last event that was written in this work; 0 for none.
    static WRITTEN: Cell<u64>;
}

/// Does `work`, and returns when every event that it wrote is recorded as this sink means it.
///
/// # Errors
/// When the disk did not confirm them; what the work came to must then not be told.
pub async fn confirmed<T>(audit: &Arc<dyn AuditSink>, work: impl Future<Output = T>) -> Result<T, AuditUnavailable> {
    if !audit.waits() {
        return Ok(work.await);
    }
    let counted = async {
        let done = work.await;
        (done, WRITTEN.with(Cell::get))
    };
    let (done, last) = WRITTEN.scope(Cell::new(0), counted).await;
    if last > 0 {
        let audit = Arc::clone(audit);
        let confirmed = DISK.run(move || audit.confirm(last)).await;
        confirmed.unwrap_or_else(|error| Err(AuditUnavailable { reason: error.to_string() }))?;
    }
    Ok(done)
}

/// Leaves waiting for event `sequence` to the work that this is part of; false when there is none.
pub(super) fn is_left_to_the_work(sequence: u64) -> bool {
    WRITTEN.try_with(|written| written.set(written.get().max(sequence))).is_ok()
}
