//! Opening the file: who may read it, who else has it, whether it is whole.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::OpenError;

pub(crate) fn open(path: &Path) -> Result<Connection, OpenError> {
    let io = |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Io { path: path.to_owned(), source };
    // Made here rather than by SQLite, so that no moment exists in which others may read it; its journal takes over the mode.
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(|error| io(error.into()))?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(|error| io(error.into()))?;
    drop(file);
    let connection = Connection::open(path).map_err(|error| io(error.into()))?;
    let refused = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse,
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path: path.to_owned(), finding: error.to_string() },
        _ => io(error.into()),
    };
    connection.busy_timeout(Duration::from_millis(200)).map_err(refused)?;
    // One process per folder: the lock is taken at the first write below and held until the connection closes. The kernel
    // releases it when a process dies, so a kill leaves nothing to clean up.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(refused)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(refused)?;
    settings(&connection).map_err(refused)?;
    connection.execute_batch("BEGIN IMMEDIATE; COMMIT;").map_err(refused)?;
    let finding: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(refused)?;
    if finding != "ok" {
        return Err(OpenError::Damaged { path: path.to_owned(), finding });
    }
    Ok(connection)
}

pub(crate) fn open_in_memory() -> Result<Connection, OpenError> {
    let io = |error: rusqlite::Error| OpenError::Io { path: ":memory:".into(), source: error.into() };
    let connection = Connection::open_in_memory().map_err(io)?;
    settings(&connection).map_err(io)?;
    Ok(connection)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    // FULL: a commit that was acknowledged is on disk, whatever happens to the power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}
