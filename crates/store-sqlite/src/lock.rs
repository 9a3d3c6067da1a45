//! One process per data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::OpenError;

/// Held for as long as the database is open; the operating system releases it when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

impl DataLock {
    /// Locks the database at `path` by a file beside it: SQLite's own locks come and go with transactions.
    pub(crate) fn acquire(path: &Path) -> Result<Self, OpenError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(name).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: path.parent().unwrap_or(path).to_owned() }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}
