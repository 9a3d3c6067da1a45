//! The master key's file.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use keyless_model::{Entropy, Secret};

/// The key above all keys. Wiped when dropped.
#[derive(Debug)]
pub struct MasterKey(Secret<[u8; 32]>);

/// Why the master key is not used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("the master key {path} cannot be read or made")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the master key {path} {why}; put the right file back, its data cannot be opened without it")]
    Unfit { path: PathBuf, why: &'static str },
}

impl MasterKey {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    pub(super) const fn bytes(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Reads the key, or makes it when the file is not there.
    ///
    /// # Errors
    /// When the file is a link, is readable by others, belongs to another user, or is not 32 bytes long.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Self, MasterKeyError> {
        let io = |source| MasterKeyError::Io { path: path.to_owned(), source };
        match Self::create(path, entropy) {
            Ok(key) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(io(error)),
        }
    }

    fn create(path: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        let key = Self::from_bytes(bytes);
        file.write_all(key.bytes())?;
        // The key must be on disk before anything is sealed with it.
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(key)
    }

    fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |source| MasterKeyError::Io { path: path.to_owned(), source };
        let unfit = |why| MasterKeyError::Unfit { path: path.to_owned(), why };
        // SECURITY: a link could point the system at a key that someone else knows.
        let found = fs::symlink_metadata(path).map_err(io)?;
        if !found.is_file() {
            return Err(unfit("is no plain file"));
        }
        if found.permissions().mode() & 0o077 != 0 {
            return Err(unfit("can be read by others (chmod 600 it, and treat what it sealed as known)"));
        }
        let folder = path.parent().map(fs::metadata).transpose().map_err(io)?;
        if folder.is_some_and(|folder| folder.uid() != found.uid()) {
            return Err(unfit("belongs to another user than its folder"));
        }
        let mut bytes = [0; 32];
        let mut file = fs::File::open(path).map_err(io)?;
        file.read_exact(&mut bytes).map_err(|_| unfit("is shorter than 32 bytes"))?;
        if file.read(&mut [0]).map_err(io)? != 0 {
            return Err(unfit("is longer than 32 bytes"));
        }
        Ok(Self::from_bytes(bytes))
    }
}
