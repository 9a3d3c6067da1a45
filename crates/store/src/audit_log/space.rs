//! How much room the log has. What is left below the mark is kept for callers who may do something: whoever may do nothing must never be
//! the one who fills the disk.

use std::sync::PoisonError;

use keyless_audit::Space;

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
        let space = Space { used, free, low: is_low(free, all) };
        let before = std::mem::replace(&mut *self.space.lock().unwrap_or_else(PoisonError::into_inner), space);
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
