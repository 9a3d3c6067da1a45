//! How much room the log has. What is left below the mark is kept for callers who may do something: whoever may do nothing must never be
//! the one who fills the disk.

use std::sync::PoisonError;

use keyless_audit::{Outcome, Space};
use keyless_model::Timestamp;

use super::AuditLog;
use super::error::AuditLogError;

/// With less than this the disk counts as nearly full: some 500,000 events.
const LOW_BYTES: u64 = 512 << 20;
/// On a small disk, this part of it.
const LOW_PART: u64 = 10;

impl AuditLog {
    /// Looks at the disk, and says so once when it becomes nearly full, and once when it is not any more.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn look_at_space(&self) -> Result<Space, AuditLogError> {
        let io = || AuditLogError::io(self.folder.path());
        let disk = rustix::fs::statvfs(self.folder.path()).map_err(|error| io()(error.into()))?;
        let used = self.folder.segments()?.into_iter().filter_map(|number| std::fs::metadata(self.folder.segment(number)).ok());
        let used = used.map(|file| file.len()).sum();
        let (free, all) = (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize));
        let mut known = self.space.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, space) = (*known, Space { used, free, low: is_low(free, all), ..*known });
        *known = space;
        drop(known);
        match (before.low, space.low) {
            (false, true) => tracing::error!(
                free,
                "the disk of the audit log is nearly full: refusals are only counted, and no call is answered once it is full; free some, or set \
                 --audit-keep or --audit-max-size"
            ),
            (true, false) => tracing::info!(free, "the disk of the audit log has room again"),
            _ => {}
        }
        Ok(space)
    }

    /// Takes note of whether the log is larger than its owner wished because all that could go is young. Says so when that begins.
    pub(super) fn note_size(&self, over: bool, bytes: u64, most: u64, since: Timestamp) -> Result<(), AuditLogError> {
        let before = std::mem::replace(&mut self.space.lock().unwrap_or_else(PoisonError::into_inner).over, over);
        if !over || before {
            return Ok(());
        }
        let because = format!(
            "the audit log has {bytes} bytes, more than the {most} of --audit-max-size, and all files are kept whose last event is from {} or \
             later (--audit-spare): somebody may write events to push older ones out",
            since.rfc3339()
        );
        tracing::error!(bytes, most, "the audit log is larger than --audit-max-size, because files younger than --audit-spare are kept");
        self.tell(&self.system_event("System_AuditOverSize", Outcome::Failed, because))
    }

    pub(super) fn known_space(&self) -> Space {
        *self.space.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_low(free: u64, all: u64) -> bool {
    free < LOW_BYTES.min(all / LOW_PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_nearly_full_below_the_mark_or_a_tenth_of_a_small_one_d5_i7() {
        assert!(is_low(LOW_BYTES - 1, 1 << 40) && !is_low(LOW_BYTES, 1 << 40));
        assert!(is_low(99, 1000) && !is_low(100, 1000));
    }
}
