//! The open connection and what has happened to it.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use keyless_audit::Anchor;
use keyless_store::{Admission, Commit, Revision, StoreError};
use rusqlite::{Connection, OpenFlags, ffi};

use crate::assertions::{self, Asked};
use crate::commit::{self, Failed};
use crate::error::unavailable;
use crate::schema::{self, Found};
use crate::{OpenError, read};

/// How long to wait for a reader of another process (`keyless audit verify` looks at the anchor).
const BUSY: Duration = Duration::from_secs(5);

/// The writer's connection.
#[derive(Debug)]
pub(crate) struct Database {
    connection: Connection,
    /// Set when the disk did not confirm a write: what is on it is not known any more, so nothing else is written.
    uncertain: Option<String>,
}

/// The disk did not confirm an earlier commit.
#[derive(Debug, thiserror::Error)]
#[error("the disk did not confirm an earlier write ({0}); check the disk, then restart keyless")]
struct Uncertain(String);

impl Database {
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        private_file(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |source| OpenError::sqlite(path, source);
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        identify(&connection, path)?;
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failed)?;
        if mode != "wal" {
            let detail = format!("its journal mode stays `{mode}`");
            return Err(OpenError::Damaged { path: path.to_owned(), detail });
        }
        check_pages(&connection, path)?;
        Self::prepare(connection).map_err(failed)
    }

    pub(crate) fn in_memory() -> Result<Self, OpenError> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|source| OpenError::sqlite(path, source))?;
        Self::prepare(connection).map_err(|source| OpenError::sqlite(path, source))
    }

    fn prepare(mut connection: Connection) -> Result<Self, rusqlite::Error> {
        // FULL: a commit is on disk when it returns, even if the power goes a moment later.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // SECURITY: the schema comes from the file; functions it names run only if they are harmless.
        connection.pragma_update(None, "trusted_schema", false)?;
        // After a large commit the log file shrinks again.
        connection.pragma_update(None, "journal_size_limit", 8 << 20)?;
        connection.set_prepared_statement_cache_capacity(32);
        schema::migrate(&mut connection)?;
        Ok(Self { connection, uncertain: None })
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(crate) fn commit(&mut self, commit: &Commit) -> Result<(Revision, u64), StoreError> {
        self.certain()?;
        commit::commit(&mut self.connection, commit).map_err(|failed| match failed {
            Failed::Store(error) => error,
            Failed::Sqlite(error) => self.write_failed(error),
        })
    }

    pub(crate) fn note_audited(&mut self, up_to: u64, anchor: Option<Anchor>) -> Result<(), StoreError> {
        self.certain()?;
        commit::note_audited(&mut self.connection, up_to, anchor).map_err(|error| self.write_failed(error))
    }

    /// One transaction for all of them.
    pub(crate) fn admit(&mut self, batch: &[Asked]) -> Result<Vec<Admission>, StoreError> {
        self.certain()?;
        assertions::admit(&mut self.connection, batch).map_err(|error| self.write_failed(error))
    }

    /// Whether the disk confirmed every write so far.
    pub(crate) fn certain(&self) -> Result<(), StoreError> {
        self.uncertain.as_ref().map_or(Ok(()), |why| Err(unavailable(Uncertain(why.clone()))))
    }

    /// A full disk rolls back cleanly and may be tried again. A failed sync may have dropped pages that the system now believes to
    /// be written, and trying again would succeed without them: from here on nothing is written.
    fn write_failed(&mut self, error: rusqlite::Error) -> StoreError {
        let code = error.sqlite_error().map(|error| error.extended_code);
        if matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)) {
            tracing::error!(%error, "the disk did not confirm a write of the state database; no change is accepted until a restart");
            self.uncertain = Some(error.to_string());
        }
        unavailable(error)
    }
}

/// The anchor in a database that another process may have open.
pub(crate) fn peek_anchor(path: &Path) -> Result<Option<Anchor>, OpenError> {
    let failed = |source| OpenError::sqlite(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    identify(&connection, path)?;
    Ok(read::anchor(&connection)?)
}

fn identify(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    // The first statement reads the file's header: a file that is no database is found here.
    connection.query_row("PRAGMA schema_version", [], |_| Ok(())).map_err(|source| OpenError::sqlite(path, source))?;
    match schema::identify(connection)? {
        Found::Ours => Ok(()),
        Found::Foreign => Err(OpenError::Damaged { path: path.to_owned(), detail: "another program's database".to_owned() }),
    }
}

/// Every page of the file fits its neighbours.
fn check_pages(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|source| OpenError::sqlite(path, source))?;
    if found == "ok" { Ok(()) } else { Err(OpenError::Damaged { path: path.to_owned(), detail: found }) }
}

/// Makes the file if need be; SQLite gives its companions the same mode.
fn private_file(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the state database could be read by others; its mode is now 0600");
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
