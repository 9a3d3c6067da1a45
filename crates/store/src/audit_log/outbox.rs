//! After a crash between a commit and its audit line: writes the events that the log does not have.

use std::collections::HashSet;

use keyless_audit::{AuditSink as _, Line};
use keyless_model::RequestId;
use serde::Deserialize;

use super::error::AuditLogError;
use super::read::Lines;
use super::{AuditLog, AuditUnavailable};
use crate::PendingAudit;

/// What names a change in the log: the directory revision it made, and the request that made it. The revision alone would repeat
/// when an older database is restored; a request id alone may belong to several changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeId {
    revision: u64,
    request_id: RequestId,
}

/// Why the outbox could not be brought into the log.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Read(#[from] AuditLogError),
    #[error(transparent)]
    Write(#[from] AuditUnavailable),
}

impl AuditLog {
    /// Writes those of the committed events that the log lacks, in order, and flushes. Returns the highest outbox sequence: everything
    /// up to it is on the log's disk now.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub fn ensure(&self, pending: &[PendingAudit]) -> Result<u64, ReplayError> {
        let known = self.changes_from(pending.iter().filter_map(|entry| entry.event.revision).min())?;
        for entry in pending {
            let id = entry.event.revision.map(|revision| ChangeId { revision, request_id: entry.event.request_id });
            // An event without a revision cannot be recognised: twice is better than never.
            if id.is_none_or(|id| !known.contains(&id)) {
                tracing::warn!(sequence = entry.sequence, "the audit log lacked a committed change; its event is written now");
                self.record(&entry.event)?;
            }
        }
        self.flush()?;
        Ok(pending.last().map_or(0, |entry| entry.sequence))
    }

    /// The changes in the log whose revision is `oldest` or later. Changes are written in the order of their revisions, so the walk
    /// back from the end stops at an earlier one.
    fn changes_from(&self, oldest: Option<u64>) -> Result<HashSet<ChangeId>, AuditLogError> {
        let mut known = HashSet::new();
        let Some(oldest) = oldest else { return Ok(known) };
        for line in Lines::newest_first(&self.folder)? {
            let (_, line) = line?;
            // Lines without a revision do not parse as a change, and a changed line counts for nothing.
            let Ok(id) = serde_json::from_slice::<ChangeId>(&line.text) else { continue };
            if Line::parse(&line.text).is_err() {
                continue;
            }
            if id.revision < oldest {
                break;
            }
            known.insert(id);
        }
        Ok(known)
    }
}
