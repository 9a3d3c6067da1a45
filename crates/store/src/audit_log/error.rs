//! What can be wrong with an audit folder.

use std::io;
use std::path::{Path, PathBuf};

use keyless_audit::verify::Broken;

/// Why an audit log cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum AuditLogError {
    #[error("the audit folder {folder} is in use by another keyless process; stop that one, or choose another folder")]
    InUse { folder: PathBuf },
    #[error("the audit log {path} cannot be read or written; check the disk and that the folder belongs to this user")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The log tells of changes that the state database never saw.
    #[error(
        "the state database is older than the audit log {folder} (revision {state}, the log tells of {logged}), so rights that were \
         revoked since would be back; restore a backup of revision {logged}, or undo the changes since on purpose with --accept-older-state"
    )]
    StateIsOlder { folder: PathBuf, state: u64, logged: u64 },
    /// Somebody or something changed it. What is there is evidence: move it away, do not repair it.
    #[error("{broken}; keep {folder} as evidence, and start with an empty audit folder only after looking into it")]
    Broken { folder: PathBuf, broken: Box<Broken> },
}

impl AuditLogError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    pub(super) fn broken(folder: &Path) -> impl FnOnce(Broken) -> Self + '_ {
        move |broken| Self::Broken { folder: folder.to_owned(), broken: Box::new(broken) }
    }
}
