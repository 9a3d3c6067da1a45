//! What SQLite says, in the words of the port.

use std::io;
use std::path::{Path, PathBuf};

use keyless_store::{Holder, StoreError};
use rusqlite::ErrorCode;

/// Why the state database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error("the data folder {folder} is in use by another keyless process{by}; stop that one, or choose another folder")]
    InUse { folder: PathBuf, by: Holder },
    /// The file is not what was written.
    #[error("the state database {path} is damaged or not a keyless database ({detail}); restore it from a backup")]
    Damaged { path: PathBuf, detail: String },
    #[error("the state database {path} cannot be opened; check that the folder exists and belongs to this user")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the state database {path} cannot be read or prepared; check the disk and the folder's permissions")]
    Sqlite {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// [`StoreError::Schema`], mostly.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    pub(crate) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path: path.to_owned(), detail: source.to_string() }
            }
            _ => Self::Sqlite { path: path.to_owned(), source },
        }
    }
}

/// A statement failed; the transaction it belongs to changed nothing.
pub(crate) fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(source))
}
