//! The one write: documents, listed changes, outbox, revision and anchor, whole or not at all.

use keyless_audit::Anchor;
use keyless_model::entity::Mutation;
use keyless_store::{Commit, Revision, StoreError};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::error::unavailable;
use crate::read;

/// How many revisions stay listed for those who follow; whoever is further behind loads everything.
pub(crate) const KEPT_REVISIONS: u64 = 1000;

/// Why a commit did not happen.
pub(crate) enum Failed {
    /// The port's own refusal.
    Store(StoreError),
    /// SQLite's error on a statement or on the commit itself.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(unavailable(error))
    }
}

pub(crate) fn commit(connection: &mut Connection, commit: &Commit) -> Result<(Revision, u64), Failed> {
    // Dropping the transaction on any early return rolls it back.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let current = read::revision(&transaction).map_err(Failed::Store)?;
    if current != commit.expected {
        return Err(Failed::Store(StoreError::Conflict { current }));
    }
    let next = Revision(current.0 + 1);
    for (ordinal, mutation) in (0_i64..).zip(&commit.mutations) {
        apply(&transaction, next, mutation)?;
        transaction.prepare_cached("INSERT INTO changes (revision, ordinal, mutation) VALUES (?1, ?2, ?3)")?.execute(params![
            next.0,
            ordinal,
            serde_json::to_string(mutation)?
        ])?;
    }
    transaction.prepare_cached("INSERT INTO outbox (event) VALUES (?1)")?.execute([serde_json::to_string(&commit.event)?])?;
    let sequence = transaction.last_insert_rowid().unsigned_abs();
    set_audited(&transaction, commit.audited_up_to, commit.anchor)?;
    let known_since = next.0.saturating_sub(KEPT_REVISIONS);
    transaction.prepare_cached("DELETE FROM changes WHERE revision <= ?1")?.execute([known_since])?;
    transaction.prepare_cached("UPDATE state SET revision = ?1, known_since = max(known_since, ?2)")?.execute([next.0, known_since])?;
    transaction.commit()?;
    Ok((next, sequence))
}

pub(crate) fn note_audited(connection: &mut Connection, up_to: u64, anchor: Option<Anchor>) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    set_audited(&transaction, up_to, anchor)?;
    transaction.commit()
}

fn apply(transaction: &Transaction<'_>, revision: Revision, mutation: &Mutation) -> Result<(), Failed> {
    let key = mutation.key();
    match mutation {
        Mutation::Put(entity) => transaction
            .prepare_cached("INSERT OR REPLACE INTO documents (kind, id, body, revision) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![key.kind.as_str(), key.id, serde_json::to_string(entity)?, revision.0])?,
        Mutation::Delete(_) => {
            transaction.prepare_cached("DELETE FROM documents WHERE kind = ?1 AND id = ?2")?.execute(params![key.kind.as_str(), key.id])?
        }
    };
    Ok(())
}

fn set_audited(transaction: &Transaction<'_>, up_to: u64, anchor: Option<Anchor>) -> Result<(), rusqlite::Error> {
    transaction.prepare_cached("DELETE FROM outbox WHERE sequence <= ?1")?.execute([up_to])?;
    let Some(anchor) = anchor else { return Ok(()) };
    // SECURITY: never moves back, or a writer that is behind could make a cut log look whole.
    transaction
        .prepare_cached("UPDATE state SET anchor_sequence = ?1, anchor_hash = ?2 WHERE anchor_sequence IS NULL OR anchor_sequence < ?1")?
        .execute(params![anchor.sequence, anchor.hash.to_string()])?;
    Ok(())
}
