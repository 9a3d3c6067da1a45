//! The store port: a small versioned document store with an audit outbox.
//!
//! The domain lives in memory ([`crate::Snapshot`]); a store only has to keep documents, apply a list of changes whole or not
//! at all, number the changes, and tell what came after a number. That is little enough to be exactly the same on SQLite,
//! PostgreSQL and its distributed relatives.

use std::fmt::Debug;

use async_trait::async_trait;
use keyless_audit::{Anchor, AuditEvent};
use keyless_directory::sealer::SealError;
use keyless_model::OpContext;
use keyless_model::entity::{Entity, EntityKey, Mutation};

use crate::{Admission, Presented, Revision};

/// A change to apply whole or not at all, together with its audit event.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The revision the change was planned against; when the store is elsewhere the commit is refused.
    pub expected: Revision,
    /// Applied in order. Deleting what is absent is no error.
    pub mutations: Vec<Mutation>,
    /// Goes to the outbox in the same transaction.
    pub event: AuditEvent,
    /// Outbox entries up to here are in the audit log and may be forgotten.
    pub audited_up_to: u64,
    /// The last event of the audit log that was on disk when the change was planned; kept when there is one.
    pub anchor: Option<Anchor>,
}

/// A document that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}/{} cannot be read", .key.kind.as_str(), .key.id)]
pub struct Unreadable {
    pub key: EntityKey,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Everything, at one revision.
#[derive(Debug, Default)]
pub struct Loaded {
    pub revision: Revision,
    pub entities: Vec<Entity>,
    /// Documents that are there and cannot be read; who loads decides whether to go on without them.
    pub unreadable: Vec<Unreadable>,
}

/// An event that was committed and perhaps not yet written to the audit log.
#[derive(Debug, Clone)]
pub struct PendingAudit {
    /// Ascending, never reused.
    pub sequence: u64,
    pub event: AuditEvent,
}

/// Why the store did not do it. Nothing was changed, unless said.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Someone else committed first: catch up, plan again.
    #[error("the directory moved on to revision {}; read it again and retry", .current.0)]
    Conflict { current: Revision },
    /// The database cannot be reached or cannot write now.
    #[error("the state database does not answer; check the disk and the data folder, then retry")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A document in the database makes no sense.
    #[error(
        "the state database holds {0}/{1}, which cannot be read, and without it somebody could do more than they may; run the program \
         version that wrote it, restore a backup, or go on without it knowingly with `keyless up --without {0}/{1}`",
        .key.kind.as_str(), .key.id
    )]
    Corrupt {
        key: EntityKey,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A change holds a document that could not be loaded again.
    #[error("{}/{} could not be read back once it was stored; make it flatter or smaller", .key.kind.as_str(), .key.id)]
    Unloadable {
        key: EntityKey,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database was written by a newer program.
    #[error("the state database has schema {found}, this program knows up to {known}; run the newer program")]
    Schema { found: u32, known: u32 },
    /// A sealed secret does not open.
    #[error(transparent)]
    Sealed(#[from] SealError),
}

/// Durable state. Each call is one transaction.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Reads everything, at one revision.
    async fn load(&self, ctx: &OpContext) -> Result<Loaded, StoreError>;

    /// Applies a change and returns its revision (`expected + 1`) and its outbox sequence.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the store is not at `expected`.
    async fn commit(&self, ctx: &OpContext, commit: Commit) -> Result<(Revision, u64), StoreError>;

    /// What was committed after `revision`, in order, with the revision it leads to; `None` when that far back is no longer
    /// known, and everything must be loaded.
    async fn changes_since(&self, ctx: &OpContext, revision: Revision) -> Result<Option<(Revision, Vec<Mutation>)>, StoreError>;

    /// The events that may be missing from the audit log, oldest first.
    async fn pending_audit(&self, ctx: &OpContext) -> Result<Vec<PendingAudit>, StoreError>;

    /// The last event that the audit log is known to hold: see [`Store::note_audited`].
    async fn audit_anchor(&self, ctx: &OpContext) -> Result<Option<Anchor>, StoreError>;

    /// Notes how far the audit log is on its disk: forgets outbox entries up to `up_to`, and keeps the anchor so that a log which
    /// ends earlier, or holds another event there, is found out. An anchor never moves back: one older than the kept is ignored.
    async fn note_audited(&self, ctx: &OpContext, up_to: u64, anchor: Option<Anchor>) -> Result<(), StoreError>;

    /// Remembers a used assertion, and says whether it was used before; of several at once exactly one is the first. It is no commit:
    /// no revision, no event. What expired before `ctx.now` may be forgotten then.
    ///
    /// INVARIANT: an assertion that was [`Admission::First`] once never is again, wherever the clock is set (fault F7).
    async fn admit_assertion(&self, ctx: &OpContext, presented: Presented) -> Result<Admission, StoreError>;
}
