//! The data folder: what is where, and who may look.

use std::fs;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// What the process that has a data folder's database open holds open beside it.
pub(crate) const STATE_LOCK: &str = "state.db.lock";

/// The data folder of one system. Only its owner may enter it.
#[derive(Debug, Clone)]
pub struct DataFolder {
    root: PathBuf,
}

impl DataFolder {
    /// Opens the folder, making it if needed.
    ///
    /// # Errors
    /// When it cannot be made, belongs to someone else, or lets others in.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root)
            .with_context(|| format!("cannot make the data folder {}", root.display()))?;
        let root = fs::canonicalize(root)?;
        let found = fs::metadata(&root)?;
        if found.uid() != rustix::process::geteuid().as_raw() {
            bail!("the data folder {} belongs to another user; choose one of your own with --data", root.display());
        }
        if found.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&root, fs::Permissions::from_mode(0o700))
                .with_context(|| format!("others may enter the data folder {}; run chmod 700 on it", root.display()))?;
        }
        let folder = Self { root };
        for inner in [folder.audit(), folder.tls()] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&inner)?;
        }
        Ok(folder)
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    #[must_use]
    pub fn master_key(&self) -> PathBuf {
        self.root.join("master.key")
    }

    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("state.db")
    }

    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.root.join("audit")
    }

    #[must_use]
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    /// The shells that an identity was lent to, remembered across restarts (header digests only).
    #[must_use]
    pub fn attachments(&self) -> PathBuf {
        self.root.join("attachments.json")
    }

    /// What the first start chose and no later one may: the ARM id of this machine.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.root.join("system.json")
    }

    /// Writes a file whole or not at all.
    pub(crate) fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        replace(path, content)
    }
}

/// What the state database last knew of the audit log's end, to hold the log against. `None` when there is no state yet.
///
/// # Errors
/// When the database cannot be read.
pub fn kept_audit_anchor(data: &Path) -> anyhow::Result<Option<keyless_audit::Anchor>> {
    let database = data.join("state.db");
    if !database.exists() {
        return Ok(None);
    }
    Ok(keyless_store_sqlite::SqliteStore::peek_audit_anchor(&database)?)
}

/// Whether no process runs in the folder, which need not be there. Asked before a port is taken: a second start in one folder is told
/// of the first, whose ports are in its way as well.
pub(crate) fn free(data: &Path) -> Result<(), keyless_store_sqlite::OpenError> {
    keyless_store_sqlite::SqliteStore::free(&data.join("state.db"))
}

/// Writes a file whole or not at all: a reader sees the old content or the new, never half.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // SECURITY: a name nobody can know before, made new and for its owner only; the folder may be one that others write to.
    let mut next = tempfile::Builder::new().prefix(".keyless-").permissions(fs::Permissions::from_mode(0o600)).tempfile_in(folder)?;
    next.write_all(content)?;
    // On the disk before it has the name, and the name as well: a crash leaves the old file or the new one.
    next.as_file().sync_all()?;
    next.persist(path)?;
    fs::File::open(folder)?.sync_all()
}

/// Where the local socket is reached. A Unix socket's path holds at most 107 bytes; a longer one is named through an open
/// descriptor of its folder, which must be kept until the socket was bound or connected.
///
/// # Errors
/// When the folder cannot be opened.
pub fn socket_path(data: &Path) -> io::Result<(PathBuf, Option<OwnedFd>)> {
    let plain = data.join("keyless.sock");
    if plain.as_os_str().len() <= 100 {
        return Ok((plain, None));
    }
    let folder: OwnedFd = fs::File::open(data)?.into();
    Ok((PathBuf::from(format!("/proc/self/fd/{}/keyless.sock", folder.as_raw_fd())), Some(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_for_its_owner_only_and_leaves_nothing_behind_d15() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        for content in ["old", "new"] {
            replace(&file, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_that_somebody_laid_is_not_followed_i15() {
        let folder = tempfile::tempdir().unwrap();
        let (file, precious) = (folder.path().join("ready.json"), folder.path().join("precious"));
        fs::write(&precious, "precious").unwrap();
        // Where the file goes, and where an earlier version put its half-written one.
        for link in [&file, &folder.path().join("ready.json.new")] {
            std::os::unix::fs::symlink(&precious, link).unwrap();
        }
        replace(&file, b"ours").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&file).unwrap(), "ours");
        assert!(!fs::symlink_metadata(&file).unwrap().is_symlink());
    }
}
