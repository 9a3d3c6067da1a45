//! One process per folder: a file that is locked while that process lives, and that says which one it is.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Held for as long as it lives; the operating system releases it when the process dies, however it dies.
#[derive(Debug)]
pub struct ProcessLock {
    _file: File,
}

/// Why the lock was not had.
#[derive(Debug)]
pub enum LockError {
    Held(Holder),
    Io(io::Error),
}

/// The process that holds a lock, where the file tells. As text it follows the words `another keyless process`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder(Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " (process {id})"))
    }
}

impl ProcessLock {
    /// # Errors
    /// When another process holds it, or the file cannot be made or locked.
    pub fn acquire(path: &Path) -> Result<Self, LockError> {
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
        let mut file = open.map_err(LockError::Io)?;
        match file.try_lock() {
            // A remark for people: a full disk, which must not keep a system from starting, may leave it out.
            Ok(()) => _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())),
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(Holder::told_by(&file))),
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        Ok(Self { _file: file })
    }

    /// The process that holds it now. Makes no file, so that a question leaves nothing behind.
    #[must_use]
    pub fn holder(path: &Path) -> Option<Holder> {
        let file = File::open(path).ok()?;
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| Holder::told_by(&file))
    }
}

impl Holder {
    fn told_by(file: &File) -> Self {
        let mut text = String::new();
        // Ten digits at most; anything else was not written here.
        let read = file.take(11).read_to_string(&mut text);
        Self(read.ok().and_then(|_| text.parse().ok()))
    }
}
