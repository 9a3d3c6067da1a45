//! Each call of the store as one transaction.

use keyless_audit::Anchor;
use keyless_model::entity::{Entity, EntityKey, EntityKind, Mutation};
use keyless_store::{Commit, Loaded, PendingAudit, Revision, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::de::DeserializeOwned;

use crate::schema::unavailable;

const REVISION: &str = "revision";
const ANCHOR: &str = "audit-anchor";

pub(crate) fn load(connection: &mut Connection) -> Result<Loaded, StoreError> {
    let transaction = connection.transaction().map_err(unavailable)?;
    let revision = revision(&transaction)?;
    let mut entities = Vec::new();
    // Kind by kind in the loader's order: containers before what they contain.
    let mut statement = transaction.prepare("SELECT id, body FROM documents WHERE kind = ?1 ORDER BY id").map_err(unavailable)?;
    for kind in EntityKind::ALL {
        let mut rows = statement.query([kind.as_str()]).map_err(unavailable)?;
        while let Some(row) = rows.next().map_err(unavailable)? {
            let (id, body): (String, String) = (row.get(0).map_err(unavailable)?, row.get(1).map_err(unavailable)?);
            entities.push(read::<Entity>(&body, || EntityKey { kind: *kind, id })?);
        }
    }
    Ok(Loaded { revision, entities })
}

pub(crate) fn commit(connection: &mut Connection, commit: &Commit, changes_kept: u64) -> Result<(Revision, u64), StoreError> {
    // IMMEDIATE: what is read below cannot change before it is written.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(unavailable)?;
    let current = revision(&transaction)?;
    if current != commit.expected {
        return Err(StoreError::Conflict { current });
    }
    let next = Revision(current.0.saturating_add(1));
    apply(&transaction, next, &commit.mutations)?;
    let event = serde_json::to_string(&commit.event).map_err(unavailable)?;
    transaction.execute("INSERT INTO outbox (event) VALUES (?1)", [event]).map_err(unavailable)?;
    let sequence = u64::try_from(transaction.last_insert_rowid()).map_err(unavailable)?;
    let audited = i64::try_from(commit.audited_up_to).map_err(unavailable)?;
    transaction.execute("DELETE FROM outbox WHERE sequence <= ?1", [audited]).map_err(unavailable)?;
    let forgotten = i64::try_from(next.0.saturating_sub(changes_kept)).map_err(unavailable)?;
    transaction.execute("DELETE FROM changes WHERE revision <= ?1", [forgotten]).map_err(unavailable)?;
    if let Some(anchor) = &commit.anchor {
        put_anchor(&transaction, anchor)?;
    }
    put_state(&transaction, REVISION, &next.0.to_string())?;
    transaction.commit().map_err(unavailable)?;
    Ok((next, sequence))
}

fn apply(transaction: &Transaction<'_>, revision: Revision, mutations: &[Mutation]) -> Result<(), StoreError> {
    let revision = i64::try_from(revision.0).map_err(unavailable)?;
    let mut put = transaction
        .prepare_cached("INSERT INTO documents (kind, id, body) VALUES (?1, ?2, ?3) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body")
        .map_err(unavailable)?;
    let mut delete = transaction.prepare_cached("DELETE FROM documents WHERE kind = ?1 AND id = ?2").map_err(unavailable)?;
    let mut note = transaction.prepare_cached("INSERT INTO changes (revision, ordinal, mutation) VALUES (?1, ?2, ?3)").map_err(unavailable)?;
    for (ordinal, mutation) in (0_i64..).zip(mutations) {
        let key = mutation.key();
        match mutation {
            Mutation::Put(entity) => {
                let body = serde_json::to_string(entity).map_err(unavailable)?;
                put.execute(params![key.kind.as_str(), key.id, body]).map_err(unavailable)?;
            }
            Mutation::Delete(_) => _ = delete.execute(params![key.kind.as_str(), key.id]).map_err(unavailable)?,
        }
        let noted = serde_json::to_string(mutation).map_err(unavailable)?;
        note.execute(params![revision, ordinal, noted]).map_err(unavailable)?;
    }
    Ok(())
}

pub(crate) fn changes_since(connection: &mut Connection, since: Revision) -> Result<Option<(Revision, Vec<Mutation>)>, StoreError> {
    let transaction = connection.transaction().map_err(unavailable)?;
    let current = revision(&transaction)?;
    if current <= since {
        return Ok((current == since).then(|| (current, Vec::new())));
    }
    let since_row = i64::try_from(since.0).map_err(unavailable)?;
    let mut statement = transaction
        .prepare_cached("SELECT revision, mutation FROM changes WHERE revision > ?1 ORDER BY revision, ordinal")
        .map_err(unavailable)?;
    let mut rows = statement.query([since_row]).map_err(unavailable)?;
    let (mut mutations, mut oldest) = (Vec::new(), None);
    while let Some(row) = rows.next().map_err(unavailable)? {
        let (at, text): (i64, String) = (row.get(0).map_err(unavailable)?, row.get(1).map_err(unavailable)?);
        oldest.get_or_insert(at);
        let key = || EntityKey { kind: EntityKind::Tenant, id: format!("change at revision {at}") };
        mutations.push(read::<Mutation>(&text, key)?);
    }
    // Every commit changes something, so a gap right after `since` means that older changes were forgotten.
    let gap = oldest != Some(since_row.saturating_add(1));
    Ok((!gap).then_some((current, mutations)))
}

pub(crate) fn pending_audit(connection: &mut Connection) -> Result<Vec<PendingAudit>, StoreError> {
    let mut statement = connection.prepare("SELECT sequence, event FROM outbox ORDER BY sequence").map_err(unavailable)?;
    let mut rows = statement.query([]).map_err(unavailable)?;
    let mut pending = Vec::new();
    while let Some(row) = rows.next().map_err(unavailable)? {
        let (sequence, text): (i64, String) = (row.get(0).map_err(unavailable)?, row.get(1).map_err(unavailable)?);
        let key = || EntityKey { kind: EntityKind::Tenant, id: format!("outbox event {sequence}") };
        pending.push(PendingAudit { sequence: u64::try_from(sequence).map_err(unavailable)?, event: read(&text, key)? });
    }
    Ok(pending)
}

pub(crate) fn audit_anchor(connection: &mut Connection) -> Result<Option<Anchor>, StoreError> {
    let key = || EntityKey { kind: EntityKind::Tenant, id: ANCHOR.to_owned() };
    state(connection, ANCHOR)?.map(|text| read(&text, key)).transpose()
}

pub(crate) fn keep_audit_anchor(connection: &mut Connection, anchor: &Anchor) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(unavailable)?;
    put_anchor(&transaction, anchor)?;
    transaction.commit().map_err(unavailable)
}

fn put_anchor(transaction: &Transaction<'_>, anchor: &Anchor) -> Result<(), StoreError> {
    let key = || EntityKey { kind: EntityKind::Tenant, id: ANCHOR.to_owned() };
    let kept: Option<Anchor> = state(transaction, ANCHOR)?.map(|text| read(&text, key)).transpose()?;
    if kept.is_some_and(|kept| kept.sequence >= anchor.sequence) {
        return Ok(());
    }
    put_state(transaction, ANCHOR, &serde_json::to_string(anchor).map_err(unavailable)?)
}

fn revision(connection: &Connection) -> Result<Revision, StoreError> {
    let text = state(connection, REVISION)?.unwrap_or_default();
    text.parse().map(Revision).map_err(unavailable)
}

fn state(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM state WHERE name = ?1").map_err(unavailable)?;
    statement.query_row([name], |row| row.get(0)).optional().map_err(unavailable)
}

fn put_state(transaction: &Transaction<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    let mut statement = transaction
        .prepare_cached("INSERT INTO state (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .map_err(unavailable)?;
    statement.execute([name, value]).map(|_| ()).map_err(unavailable)
}

fn read<T: DeserializeOwned>(text: &str, key: impl FnOnce() -> EntityKey) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Corrupt { key: key(), source: Box::new(source) })
}
