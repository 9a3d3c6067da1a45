//! The files of a log: `000001.jsonl`, `000002.jsonl`, … and a lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::error::AuditLogError;
use super::start::{Start, StartKey};
use crate::{LockError, ProcessLock};

/// The folder of a log, and the key that vouches for the record of its beginning, where there is one.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf, Option<StartKey>);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned(), None)
    }

    pub(super) fn with_key(self, key: &StartKey) -> Self {
        Self(self.0, Some(key.clone()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder, readable by its owner only, when it is not there.
    pub(super) fn create(&self) -> Result<(), AuditLogError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(AuditLogError::io(&self.0))
    }

    pub(super) fn segment(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number:06}.jsonl"))
    }

    /// Where the log begins, when that is not its first event. SECURITY: the only way to the record, so that nothing goes by one that
    /// somebody else made.
    pub(super) fn start(&self) -> Result<Option<Start>, AuditLogError> {
        match (Start::read(&self.0)?, &self.1) {
            (Some(start), Some(key)) if !start.is_by(key) => {
                Err(AuditLogError::ForeignStart { folder: self.0.clone(), after: start.after.sequence })
            }
            (start, _) => Ok(start),
        }
    }

    /// The numbers of the log's segments, ascending. What a start record leaves out does not count, whether it was removed already or not.
    pub(super) fn segments(&self) -> Result<Vec<u64>, AuditLogError> {
        let first = self.start()?.map_or(0, |start| start.segment);
        let mut numbers = self.all_segments()?;
        numbers.retain(|number| *number >= first);
        Ok(numbers)
    }

    /// The numbers of the segments that exist, ascending. Other files are none of our business.
    pub(super) fn all_segments(&self) -> Result<Vec<u64>, AuditLogError> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(AuditLogError::io(&self.0))? {
            let name = entry.map_err(AuditLogError::io(&self.0))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".jsonl")).and_then(|digits| digits.parse().ok());
            // One number has one name: `1.jsonl` and `000001.jsonl` are not both segment 1.
            numbers.extend(number.filter(|number| self.segment(*number).file_name() == Some(&name)));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Opens a segment for writing, making it when it is not there, and lets the folder remember a new one.
    pub(super) fn open(&self, number: u64) -> io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(self.segment(number))?;
        File::open(&self.0)?.sync_all()?;
        Ok(file)
    }

    /// Keeps other writers out for as long as the file is open.
    pub(super) fn lock(&self) -> Result<ProcessLock, AuditLogError> {
        let path = self.0.join("lock");
        ProcessLock::acquire(&path).map_err(|error| match error {
            LockError::Held(by) => AuditLogError::InUse { folder: self.0.clone(), by },
            LockError::Io(source) => AuditLogError::Io { path, source },
        })
    }

    /// Whether some process writes the log now.
    pub(super) fn is_being_written(&self) -> bool {
        let Ok(file) = File::open(self.0.join("lock")) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}
