//! Reading documents, changes, outbox and anchor. Nothing here writes.

use keyless_audit::{Anchor, AuditEvent, readable};
use keyless_model::entity::{Entity, EntityKey, EntityKind, Mutation};
use keyless_store::{Loaded, PendingAudit, Revision, StoreError, Unreadable};
use rusqlite::Connection;

use crate::error::unavailable;

/// A row that makes no sense and has no entity to name.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Senseless(String);

fn senseless(what: String) -> StoreError {
    unavailable(Senseless(what))
}

pub(crate) fn revision(connection: &Connection) -> Result<Revision, StoreError> {
    let mut statement = connection.prepare_cached("SELECT revision FROM state").map_err(unavailable)?;
    statement.query_row([], |row| row.get(0)).map(Revision).map_err(unavailable)
}

/// All documents, in the order of their kinds.
pub(crate) fn load(connection: &mut Connection) -> Result<Loaded, StoreError> {
    // One read transaction: the documents are those of the revision.
    let transaction = connection.transaction().map_err(unavailable)?;
    let revision = revision(&transaction)?;
    let (mut entities, mut unreadable) = (Vec::new(), Vec::new());
    {
        let mut statement = transaction.prepare_cached("SELECT kind, id, body FROM documents").map_err(unavailable)?;
        let mut rows = statement.query([]).map_err(unavailable)?;
        while let Some(row) = rows.next().map_err(unavailable)? {
            let text = |at| row.get_ref(at).and_then(|value| Ok(value.as_str()?)).map_err(unavailable);
            match document(text(0)?, text(1)?, text(2)?)? {
                Ok(entity) => entities.push(entity),
                Err(found) => unreadable.push(found),
            }
        }
    }
    transaction.finish().map_err(unavailable)?;
    entities.sort_by_cached_key(|entity| entity.key().kind);
    Ok(Loaded { revision, entities, unreadable })
}

/// # Errors
/// For a kind that this program does not know: what it is for cannot be said.
fn document(kind: &str, id: &str, body: &str) -> Result<Result<Entity, Unreadable>, StoreError> {
    let Some(kind) = EntityKind::parse(kind) else {
        return Err(senseless(format!("the database holds documents of kind `{kind}`, which this program does not know")));
    };
    let key = EntityKey { kind, id: id.to_owned() };
    Ok(match serde_json::from_str::<Entity>(body) {
        // SECURITY: a body filed under another's key would give one thing two identities.
        Ok(entity) if entity.key() != key => {
            let source = Senseless(format!("it holds {}/{}", entity.key().kind.as_str(), entity.key().id));
            Err(Unreadable { key, source: source.into() })
        }
        Ok(entity) => Ok(entity),
        Err(error) => Err(Unreadable { key, source: error.into() }),
    })
}

/// What was committed after `since`; `None` when that is not known any more, or was never reached.
pub(crate) fn changes_since(connection: &mut Connection, since: Revision) -> Result<Option<(Revision, Vec<Mutation>)>, StoreError> {
    let transaction = connection.transaction().map_err(unavailable)?;
    let (current, known_since): (u64, u64) =
        transaction.query_row("SELECT revision, known_since FROM state", [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(unavailable)?;
    if since.0 < known_since || since.0 > current {
        return Ok(None);
    }
    let mut mutations = Vec::new();
    let mut statement =
        transaction.prepare_cached("SELECT mutation FROM changes WHERE revision > ?1 ORDER BY revision, ordinal").map_err(unavailable)?;
    let mut rows = statement.query([since.0]).map_err(unavailable)?;
    while let Some(row) = rows.next().map_err(unavailable)? {
        let text = row.get_ref(0).and_then(|value| Ok(value.as_str()?)).map_err(unavailable)?;
        match serde_json::from_str(text) {
            Ok(mutation) => mutations.push(mutation),
            Err(error) => {
                tracing::warn!(%error, since = since.0, "a listed change cannot be read; everything is loaded instead");
                return Ok(None);
            }
        }
    }
    Ok(Some((Revision(current), mutations)))
}

/// The outbox, oldest first.
pub(crate) fn pending_audit(connection: &Connection) -> Result<Vec<PendingAudit>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT sequence, event FROM outbox ORDER BY sequence").map_err(unavailable)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(unavailable)?;
    rows.map(|row| {
        let (sequence, text): (u64, String) = row.map_err(unavailable)?;
        // What can be said of it goes into the log; an event must never end a start.
        let event = serde_json::from_str::<AuditEvent>(&text).unwrap_or_else(|error| {
            tracing::warn!(sequence, %error, "a waiting audit event cannot be read whole; what can be read is written");
            readable::placeholder(text.as_bytes())
        });
        Ok(PendingAudit { sequence, event })
    })
    .collect()
}

pub(crate) fn anchor(connection: &Connection) -> Result<Option<Anchor>, StoreError> {
    let found: (Option<u64>, Option<String>) = connection
        .query_row("SELECT anchor_sequence, anchor_hash FROM state", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(unavailable)?;
    let (Some(sequence), Some(hash)) = found else { return Ok(None) };
    let hash = hash.parse().map_err(|error| senseless(format!("the kept audit anchor cannot be read: {error}")))?;
    Ok(Some(Anchor { sequence, hash }))
}
