//! Events of what has happened already: an answer of which a part has left cannot be refused for want of a record.
//!
//! While nothing can be written they are kept in memory. What resumes writing writes them first, in order, so nothing overtakes them; a
//! process that is killed before that loses them.

use std::sync::atomic::Ordering;

use keyless_audit::{AuditEvent, AuditSink as _, AuditUnavailable, Prepared};

use super::{AuditLog, unwritable};

impl AuditLog {
    pub(super) fn keep_event(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        let mut prepared = [Prepared::new(event).map_err(unwritable)?];
        let mut writer = self.lock();
        // While it is known that nothing can be written, somebody looks often enough.
        match writer.unwritable().and_then(|()| self.append(&mut writer, &mut prepared)) {
            Ok(()) => self.flush_soon(),
            Err(error) => {
                let [prepared] = prepared;
                if !writer.keep(prepared) {
                    return Err(error);
                }
            }
        }
        // It counted as refused, and is not.
        _ = self.refused.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |refused| refused.checked_sub(1));
        Ok(())
    }

    /// Brings everything to the disk, kept events too: the last thing before the process ends.
    ///
    /// # Errors
    /// When the disk does not take it; says how many events are lost with the process.
    pub fn close(&self) -> Result<(), AuditUnavailable> {
        self.ready().and_then(|()| self.flush()).map_err(|error| {
            let kept = self.lock().kept();
            AuditUnavailable { reason: format!("{}; the events of {kept} answers that were cut off are lost", error.reason) }
        })
    }
}
