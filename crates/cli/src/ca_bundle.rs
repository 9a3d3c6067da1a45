//! Trust roots for children: what they trusted before, and the local certificate authority, so that other HTTPS keeps working.
//!
//! Merged bundles are files in the data folder, named after their content: equal bundles share one file, and a program that
//! outlives the command which started it keeps its roots.

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Makes the bundles of one system.
#[derive(Debug)]
pub(crate) struct Bundles {
    folder: PathBuf,
    local_ca: String,
    system: PathBuf,
}

impl Bundles {
    /// `ca_file` holds the local authority's certificate; `system` the machine's roots with that certificate added.
    ///
    /// # Errors
    /// When the local authority's file cannot be read.
    pub(crate) fn new(data: &Path, ca_file: &Path, system: &Path) -> io::Result<Self> {
        Ok(Self { folder: data.join("bundles"), local_ca: fs::read_to_string(ca_file)?, system: system.to_owned() })
    }

    /// The machine's roots and the local authority.
    pub(crate) fn of_the_system(&self) -> &Path {
        &self.system
    }

    /// The roots in `outer` (a PEM file, or a folder of them) and the local authority.
    ///
    /// # Errors
    /// When `outer` cannot be read or holds no certificate, or the bundle cannot be written.
    pub(crate) fn added_to(&self, outer: &OsStr) -> io::Result<PathBuf> {
        let outer = Path::new(outer);
        let roots = certificates(outer)?;
        if roots.contains(self.local_ca.trim()) {
            // A run inside a run.
            return Ok(outer.to_owned());
        }
        let bundle = format!("{}\n{}", roots.trim_end(), self.local_ca);
        let mut hasher = DefaultHasher::new();
        bundle.hash(&mut hasher);
        let path = self.folder.join(format!("{:016x}.pem", hasher.finish()));
        if fs::read_to_string(&path).is_ok_and(|present| present == bundle) {
            return Ok(path);
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        // Two runs may write the same bundle at once; each writes its own file and renames it whole.
        let file = tempfile::NamedTempFile::new_in(&self.folder)?;
        fs::write(file.path(), &bundle)?;
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644))?;
        file.persist(&path)?;
        Ok(path)
    }
}

/// Every certificate of a file, or of the files of a folder, as PEM text.
fn certificates(path: &Path) -> io::Result<String> {
    let read = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = if path.is_dir() {
        let mut files: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        files.sort();
        files.iter().filter(|file| file.is_file()).map(|file| read(file)).collect::<io::Result<Vec<_>>>()?.join("\n")
    } else {
        read(path)?
    };
    if text.contains(BEGIN) { Ok(text) } else { Err(io::Error::other("it holds no certificate")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "-----BEGIN CERTIFICATE-----\nTE9DQUw=\n-----END CERTIFICATE-----\n";
    const CORPORATE: &str = "# the company's root\n-----BEGIN CERTIFICATE-----\nQ09SUA==\n-----END CERTIFICATE-----";

    fn bundles(folder: &Path) -> Bundles {
        let ca = folder.join("ca.pem");
        fs::write(&ca, LOCAL).unwrap();
        Bundles::new(folder, &ca, &folder.join("system.pem")).unwrap()
    }

    #[test]
    fn a_bundle_holds_the_roots_from_before_and_the_local_authority() {
        let folder = tempfile::tempdir().unwrap();
        let corporate = folder.path().join("corporate.pem");
        fs::write(&corporate, CORPORATE).unwrap();
        let bundles = bundles(folder.path());
        let path = bundles.added_to(corporate.as_os_str()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{CORPORATE}\n{LOCAL}"));
        assert_eq!(bundles.added_to(corporate.as_os_str()).unwrap(), path, "equal bundles share a file");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no half-written file is left");
    }

    #[test]
    fn a_run_inside_a_run_keeps_its_bundle() {
        let folder = tempfile::tempdir().unwrap();
        let outer = folder.path().join("outer.pem");
        fs::write(&outer, format!("{CORPORATE}\n{LOCAL}")).unwrap();
        assert_eq!(bundles(folder.path()).added_to(outer.as_os_str()).unwrap(), outer);
    }

    #[test]
    fn a_folder_of_roots_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let roots = folder.path().join("roots");
        fs::create_dir(&roots).unwrap();
        fs::write(roots.join("a.pem"), CORPORATE).unwrap();
        fs::write(roots.join("b.pem"), CORPORATE.replace("Q09SUA", "T1RIRVI")).unwrap();
        let text = fs::read_to_string(bundles(folder.path()).added_to(roots.as_os_str()).unwrap()).unwrap();
        assert_eq!(text.matches(BEGIN).count(), 3);
    }

    #[test]
    fn roots_that_are_none_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let bundles = bundles(folder.path());
        assert!(bundles.added_to(OsStr::new("/nowhere/at/all.pem")).is_err());
        let empty = folder.path().join("empty.pem");
        fs::write(&empty, "nothing").unwrap();
        assert!(bundles.added_to(empty.as_os_str()).is_err());
    }
}
