//! The tables, and how an older file becomes a current one.

use keyless_store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::unavailable;

/// `PRAGMA application_id` of our files: "KEYL".
const APPLICATION: u32 = 0x4B45_594C;

/// One step per schema version, oldest first. A step that was released is never changed.
const STEPS: &[&str] = &[
    "
    CREATE TABLE documents (
        kind TEXT NOT NULL,
        id   TEXT NOT NULL,
        body TEXT NOT NULL,
        revision INTEGER NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE changes (
        revision INTEGER NOT NULL,
        ordinal  INTEGER NOT NULL,
        mutation TEXT NOT NULL,
        PRIMARY KEY (revision, ordinal)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE outbox (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        event    TEXT NOT NULL
    ) STRICT;

    -- One row. `known_since`: changes after that revision are still listed.
    CREATE TABLE state (
        only        INTEGER PRIMARY KEY CHECK (only = 1),
        revision    INTEGER NOT NULL,
        known_since INTEGER NOT NULL,
        anchor_sequence INTEGER,
        anchor_hash     TEXT
    ) STRICT;
    INSERT INTO state (only, revision, known_since) VALUES (1, 0, 0);
    ",
    "
    -- Used assertions. `until`: unix milliseconds; the assertion is not accepted from then on.
    CREATE TABLE assertions (
        key    BLOB PRIMARY KEY,
        until  INTEGER NOT NULL,
        source TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX assertions_by_until ON assertions (until);

    -- One row. `forgotten`: the latest `until` of a row that was deleted. `kept`: how many rows there are.
    CREATE TABLE assertion_memory (
        only      INTEGER PRIMARY KEY CHECK (only = 1),
        forgotten INTEGER NOT NULL,
        kept      INTEGER NOT NULL
    ) STRICT;
    INSERT INTO assertion_memory (only, forgotten, kept) VALUES (1, -9223372036854775808, 0);
    ",
];

/// The schema that this program writes.
const CURRENT: u32 = STEPS.len() as u32;

/// What a file is, before anything is done to it.
pub(crate) enum Found {
    Ours,
    /// Another program's database.
    Foreign,
}

/// Looks at the file's marks.
///
/// # Errors
/// [`StoreError::Schema`] when a newer program wrote it.
pub(crate) fn identify(connection: &Connection) -> Result<Found, StoreError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0)).map_err(unavailable);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(unavailable)?;
    match application {
        APPLICATION if version > CURRENT => Err(StoreError::Schema { found: version, known: CURRENT }),
        APPLICATION => Ok(Found::Ours),
        0 if version == 0 && tables == 0 => Ok(Found::Ours),
        _ => Ok(Found::Foreign),
    }
}

/// Brings the tables up to date, each step whole or not at all.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (step, to) in STEPS.iter().zip(1_u32..).skip(version as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", to)?;
        transaction.commit()?;
    }
    Ok(())
}
