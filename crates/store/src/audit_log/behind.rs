//! Is the state database as new as the log? One that was restored from an older backup is not: the log tells of changes that it
//! never saw, revoked rights among them.

use keyless_audit::{Anchor, AuditSink as _, Line, Outcome};
use serde::Deserialize;

use super::error::AuditLogError;
use super::read::Lines;
use super::{AuditLog, AuditUnavailable};
use crate::Revision;

/// The part of a line that says which revision a change made; lines of anything else do not parse.
#[derive(Deserialize)]
struct Changed {
    revision: u64,
}

impl AuditLog {
    /// The state of `revision`, which last knew the log up to `kept`, has seen every change that the log tells of. Call it at start.
    ///
    /// A database commits before the log is written, so it is never behind by itself, whatever crashed.
    ///
    /// # Errors
    /// [`AuditLogError::StateIsOlder`] when the log tells of a later change.
    pub fn check_state(&self, kept: Option<Anchor>, revision: Revision) -> Result<(), AuditLogError> {
        for line in Lines::newest_first(&self.folder)? {
            let (_, line) = line?;
            // A changed line counts for nothing; the check of the chain tells of it.
            let Some(found) = Line::parse(&line.text).ok().and_then(|line| line.anchor()) else { continue };
            // What is older than the database's own note, it has seen.
            if kept.is_some_and(|kept| found.sequence <= kept.sequence) {
                return Ok(());
            }
            let Ok(Changed { revision: logged }) = serde_json::from_slice(&line.text) else { continue };
            return if logged > revision.0 {
                Err(AuditLogError::StateIsOlder { folder: self.folder.path().to_owned(), state: revision.0, logged })
            } else {
                Ok(())
            };
        }
        Ok(())
    }

    /// Records, on disk, that the owner goes on with a database that is older than the log.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn accept_older_state(&self, state: u64, logged: u64) -> Result<(), AuditUnavailable> {
        let because = format!(
            "the owner goes on with a state database of revision {state}; the changes up to revision {logged} that this log tells of are undone"
        );
        tracing::warn!(state, logged, "an older state database was accepted: changes since then are undone, revoked rights too");
        self.record(&self.system_event("System_StateRestored", Outcome::Allowed, because))?;
        self.flush()
    }
}
