//! Where the audit log of a data folder is, and its errors in two sentences.

use std::path::Path;

use keyless_audit::AuditEvent;
use keyless_store::audit_log::{AuditLogError, AuditReader, Entry, Filter, Order};

use crate::failure::Failure;

/// # Errors
/// When there is no log.
pub(super) fn open(data: &Path) -> Result<AuditReader, Failure> {
    let folder = data.join("audit");
    if !folder.is_dir() {
        return Err(Failure::new(
            format!("there is no audit log in {}", data.display()),
            "start a system there with `keyless up`, or name its folder with --data DIR",
        ));
    }
    AuditReader::open(&folder).map_err(unreadable)
}

/// An error of the log for people.
pub(super) fn unreadable(error: AuditLogError) -> Failure {
    let broken = matches!(error, AuditLogError::Broken { .. });
    let next = if broken {
        "keep the folder as evidence: copy it away before anything else, then look into who could write there"
    } else {
        "check that the folder is yours and the disk works"
    };
    Failure::new(format!("{:#}", anyhow::Error::from(error)), next)
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
