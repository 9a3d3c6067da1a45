//! The file under the writer, as a trait: full and failing disks are tested with another one.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Where lines go.
pub(super) trait Medium: Debug + Send + Sync {
    /// Writes all bytes at `offset`; on an error some of them may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts or extends to `length`.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Returns when everything written is on the disk (fdatasync).
    fn sync(&self) -> io::Result<()>;
}

impl Medium for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        // One pwrite(2) unless it comes up short.
        self.write_all_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
