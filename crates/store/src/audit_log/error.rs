//! What can be wrong with an audit folder.

use std::io;
use std::path::{Path, PathBuf};

use keyless_audit::verify::Broken;

use crate::Holder;

/// Why an audit log cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum AuditLogError {
    #[error("the audit folder {folder} is in use by another keyless process{by}; stop that one, or choose another folder")]
    InUse { folder: PathBuf, by: Holder },
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
    /// The events that a reader asked to go on after were removed knowingly.
    #[error(
        "the audit log {folder} begins after event {start}: what was before it, event {after} too, was {how}; go on from its present \
         beginning with --from-start-of-log, and count what lies between as not exported"
    )]
    Pruned { folder: PathBuf, start: u64, after: u64, how: &'static str },
    /// The record of a log's later beginning is not the owner's.
    #[error(
        "the record {folder}/start.json, by which the audit log begins after event {after}, was not made with this system's master key, so \
         older events may have been removed by somebody else; look into it, and go on knowingly with `keyless up --accept-lost-log`"
    )]
    ForeignStart { folder: PathBuf, after: u64 },
    /// Somebody or something changed it. What is there is evidence: move it away, do not repair it.
    #[error(
        "{broken}; keep {folder} as evidence, and only after looking into it go on with `keyless up --accept-lost-log`, which keeps the files aside"
    )]
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
