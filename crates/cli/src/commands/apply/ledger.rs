//! What earlier applies of a set created, kept beside the directory that it describes: only this may ever be deleted. A resource
//! that existed before, or that somebody made again under the same name, is not in it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::declared::Kind;
use super::desired::text;
use crate::failure::{Explain as _, Failure};

/// One resource that an apply created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) id: String,
    #[serde(rename = "name")]
    pub(super) title: String,
    /// Tells this resource from a later one of the same id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<String>,
}

impl Entry {
    /// Whether `id` is of this resource. Roles and their assignments are known by their last part: it is unique, and a role can be
    /// reached through several scopes.
    pub(super) fn is(&self, kind: Kind, id: &str) -> bool {
        let end = |id: &str| id.rsplit('/').next().unwrap_or_default().to_lowercase();
        match kind {
            _ if kind != self.kind => false,
            Kind::RoleDefinition | Kind::RoleAssignment | Kind::DenyAssignment => end(&self.id) == end(id),
            _ => self.id.eq_ignore_ascii_case(id),
        }
    }

    /// Whether the resource that is there now is the one that was created.
    pub(super) fn is_still(&self, current: &Value) -> bool {
        self.mark.is_none() || self.mark == mark(self.kind, current)
    }
}

/// What a resource has that no later one of the same id will have. Groups and federated credentials have nothing such.
pub(super) fn mark(kind: Kind, document: &Value) -> Option<String> {
    let path = match kind {
        Kind::ResourceGroup | Kind::FederatedCredential => return None,
        Kind::Identity => "/properties/principalId",
        Kind::Account | Kind::Deployment => "/systemData/createdAt",
        Kind::RoleDefinition | Kind::RoleAssignment | Kind::DenyAssignment => "/properties/createdOn",
    };
    text(document, path)
}

/// The ledger of one set.
#[derive(Debug)]
pub(super) struct Ledger {
    file: PathBuf,
    pub(super) entries: Vec<Entry>,
}

/// Held while a set is applied.
#[derive(Debug)]
pub(super) struct Alone {
    /// Open files hold their locks.
    _file: File,
}

impl Ledger {
    /// # Errors
    /// When the file is there and cannot be read.
    pub(super) fn open(data: &Path, set: &str) -> Result<Self, Failure> {
        let file = data.join("apply").join(format!("{}.json", set.to_lowercase()));
        let unreadable = || format!("{}, the list of what earlier applies created, cannot be read", file.display());
        let entries = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).explain(unreadable, "restore it, or move it away: then nothing is pruned")?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).explain(unreadable, "check who owns it"),
        };
        Ok(Self { file, entries })
    }

    /// # Errors
    /// When another apply of the same set runs.
    pub(super) fn alone(&self) -> Result<Alone, Failure> {
        let lock = || -> io::Result<(File, Result<(), TryLockError>)> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(self.folder())?;
            let file = File::create(self.file.with_extension("lock"))?;
            let locked = file.try_lock();
            Ok((file, locked))
        };
        match lock().explain(|| format!("{} cannot be written", self.folder().display()), "check who owns it")? {
            (file, Ok(())) => Ok(Alone { _file: file }),
            (_, Err(_)) => Err(Failure::new("another apply of this set is running", "wait until it has ended")),
        }
    }

    /// Keeps what was created, at once: a command that ends here must not forget it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn created(&mut self, entry: Entry) -> Result<(), Failure> {
        self.entries.retain(|known| !known.is(entry.kind, &entry.id));
        self.entries.push(entry);
        self.save()
    }

    /// # Errors
    /// When it cannot be written.
    pub(super) fn forget(&mut self, kind: Kind, id: &str) -> Result<(), Failure> {
        self.entries.retain(|known| !known.is(kind, id));
        self.save()
    }

    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    fn save(&self) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            let file = tempfile::NamedTempFile::new_in(self.folder())?;
            fs::write(file.path(), serde_json::to_vec_pretty(&self.entries)?)?;
            file.as_file().sync_all()?;
            file.persist(&self.file)?;
            Ok(())
        };
        write().explain(|| format!("{} cannot be written", self.file.display()), "free some disk space and run it again")
    }
}

#[cfg(test)]
mod tests;
