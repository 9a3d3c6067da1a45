//! Where the audit log of a data folder is, and its errors in two sentences.

use std::io::ErrorKind;
use std::path::Path;

use keyless_audit::{AuditEvent, Outcome};
use keyless_model::{ObjectId, Timestamp};
use keyless_store::audit_log::{AuditLogError, AuditReader, Entry, Filter, Order, StartKey};
use keyless_store::{MasterKey, MasterKeyError};

use crate::data_dir::NotYours;
use crate::failure::Failure;

/// # Errors
/// When there is no log.
pub(super) fn open(data: &Path) -> Result<AuditReader, Failure> {
    let folder = data.join("audit");
    // Not `is_dir`: to those who may not look it says that there is nothing.
    match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(NotYours::new(data).into()),
        _ => {}
    }
    if !folder.is_dir() {
        return Err(Failure::new(
            format!("there is no audit log in {}", data.display()),
            "start a system there with `keyless up`, or name its folder with --data DIR",
        ));
    }
    let reader = AuditReader::open(&folder).map_err(unreadable)?;
    Ok(match start_key(data)? {
        Some(key) => reader.with_key(key),
        None => reader,
    })
}

/// What the record of the log's beginning is authentic under. A copy of the folder elsewhere has no master key; who made that record is
/// then not asked.
fn start_key(data: &Path) -> Result<Option<StartKey>, Failure> {
    match MasterKey::load(&data.join("master.key")) {
        Ok(key) => Ok(Some(StartKey::of(&key.sealer()))),
        Err(MasterKeyError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        // SECURITY: a key that is there and unfit must not end in a log that counts as genuine, unasked.
        Err(error) => Err(Failure::new(error.to_string(), "mend the file, or verify a copy of the log in a folder without it")),
    }
}

/// An error of the log for people.
pub(super) fn unreadable(error: AuditLogError) -> Failure {
    let broken = matches!(error, AuditLogError::Broken { .. });
    let next = if matches!(error, AuditLogError::Pruned { .. }) {
        "add --from-start-of-log once you have noted the gap"
    } else if broken {
        "keep the folder as evidence: copy it away before anything else, then look into who could write there"
    } else {
        "check that the folder is yours and the disk works"
    };
    Failure::new(format!("{:#}", anyhow::Error::from(error)), next)
}

/// What came of the calls of one principal from a moment on: those that did not end well, the newest first.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn troubles_since(data: &Path, moment: Timestamp, principal: ObjectId) -> Result<Vec<AuditEvent>, Failure> {
    let wanted = Filter { principal: Some(principal), ..Filter::default() };
    let mut found = Vec::new();
    // The filter is asked here, so that the search ends where the time does and not where the log does.
    for entry in open(data)?.events(Order::NewestFirst, Filter::default()).map_err(unreadable)? {
        let event = entry.map_err(unreadable)?.event;
        if event.time < moment {
            break;
        }
        if event.outcome != Outcome::Allowed && wanted.matches(&event) {
            found.push(event);
        }
    }
    Ok(found)
}

/// The newest events that pass, oldest first.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn newest(data: &Path, most: usize, filter: Filter, also: impl Fn(&AuditEvent) -> bool) -> Result<Vec<Entry>, Failure> {
    let mut found = Vec::new();
    for entry in open(data)?.events(Order::NewestFirst, filter).map_err(unreadable)? {
        if found.len() == most {
            break;
        }
        let entry = entry.map_err(unreadable)?;
        if also(&entry.event) {
            found.push(entry);
        }
    }
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_master_key_that_is_unfit_is_told_and_not_passed_over() {
        let data = tempfile::tempdir().unwrap();
        assert!(start_key(data.path()).unwrap().is_none(), "a copy of the log has none");
        let file = data.path().join("master.key");
        std::fs::write(&file, [7; 32]).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(start_key(data.path()).unwrap().is_some());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(start_key(data.path()).is_err());
    }
}
