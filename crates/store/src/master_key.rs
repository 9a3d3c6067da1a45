//! The master key's file: 32 bytes beside the data that only their owner reads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use keyless_directory::Sealer;
use keyless_model::{Entropy, Secret};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// The key above all keys. Wiped when dropped.
#[derive(Debug)]
pub struct MasterKey(Secret<[u8; 32]>);

/// Why the master key is not used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("the master key {path} cannot be read or made; check that its folder exists and belongs to this user")]
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

    /// What seals and opens under this key.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.0)
    }

    /// Reads the key, or makes it when the file is not there. Two processes that start at once get the same key.
    ///
    /// # Errors
    /// As [`MasterKey::load`], and when the file cannot be made.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Self, MasterKeyError> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(path, entropy).map_err(|source| MasterKeyError::Io { path: path.to_owned(), source })?;
            }
            // What it is, `load` finds out.
            Ok(_) | Err(_) => {}
        }
        Self::load(path)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// When the file is a link, can be read by others, belongs to another user, lies in a folder that others can write to, or is not
    /// 32 bytes long.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |source| MasterKeyError::Io { path: path.to_owned(), source };
        let unfit = |why| Err(MasterKeyError::Unfit { path: path.to_owned(), why });
        // SECURITY: a link could point the system at a key that someone else knows. It is refused as the file is opened, and all
        // else is asked of the open file, so that nobody can exchange it in between.
        let opened = OpenOptions::new().read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()).open(path);
        let mut file = match opened {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => return unfit("is a symbolic link"),
            other => other.map_err(io)?,
        };
        let found = file.metadata().map_err(io)?;
        if !found.is_file() {
            return unfit("is no plain file");
        }
        if found.permissions().mode() & 0o077 != 0 {
            return unfit("can be read by others (chmod 600 it, and treat what it sealed as known)");
        }
        let folder = fs::metadata(folder_of(path)).map_err(io)?;
        let user = rustix::process::geteuid().as_raw();
        if found.uid() != user || folder.uid() != user {
            return unfit("or its folder belongs to another user");
        }
        if folder.permissions().mode() & 0o022 != 0 {
            return unfit("lies in a folder that others can write to (chmod 700 it)");
        }
        let mut bytes = Zeroizing::new([0; 33]);
        let length = read_all(&mut file, &mut *bytes).map_err(io)?;
        match bytes.first_chunk() {
            Some(key) if length == 32 => Ok(Self::from_bytes(*key)),
            _ => unfit("is not 32 bytes long"),
        }
    }
}

/// Makes the file whole or not at all: a crash must not leave half a key, nor a key that is not on disk when something is sealed
/// with it. An existing file is left alone.
fn create(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let mut bytes = Zeroizing::new([0; 32]);
    entropy.fill(&mut *bytes);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", entropy.text(9)));
    let draft = path.with_file_name(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked = file.write_all(&*bytes).and_then(|()| file.sync_all()).and_then(|()| match fs::hard_link(&draft, path) {
        // Somebody was faster; theirs is the key.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    fs::remove_file(&draft)?;
    linked?;
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Fills as much of `buffer` as the file has.
fn read_all(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Counter(std::sync::atomic::AtomicU8);

    impl Entropy for Counter {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    struct Place {
        folder: tempfile::TempDir,
        entropy: Counter,
    }

    impl Place {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), entropy: Counter::default() }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("master.key")
        }

        fn open(&self) -> Result<MasterKey, MasterKeyError> {
            MasterKey::load_or_create(&self.path(), &self.entropy)
        }

        fn refused(&self) -> String {
            self.open().expect_err("the key should have been refused").to_string()
        }

        fn chmod(&self, mode: u32) {
            fs::set_permissions(self.path(), fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    #[test]
    fn the_key_is_made_once_for_its_owner_only() {
        let place = Place::new();
        let first = *place.open().unwrap().0.expose();
        assert_eq!(*place.open().unwrap().0.expose(), first);
        assert_ne!(*Place { folder: tempfile::tempdir().unwrap(), entropy: Counter(9.into()) }.open().unwrap().0.expose(), first);
        assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn processes_that_start_at_once_get_one_key() {
        let place = Place::new();
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| *place.open().unwrap().0.expose())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let place = Place::new();
        place.open().unwrap();
        for mode in [0o640, 0o604, 0o660, 0o644, 0o610] {
            place.chmod(mode);
            assert!(place.refused().contains("can be read by others"), "{mode:o}");
        }
        place.chmod(0o400);
        place.open().unwrap();
    }

    #[test]
    fn a_key_in_a_folder_that_others_can_write_to_is_refused() {
        let place = Place::new();
        place.open().unwrap();
        for mode in [0o720, 0o702, 0o777] {
            fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert!(place.refused().contains("others can write to"), "{mode:o}");
        }
    }

    #[test]
    fn a_link_a_folder_and_a_pipe_are_no_keys() {
        let place = Place::new();
        let known = place.folder.path().join("known");
        fs::write(&known, [1; 32]).unwrap();
        fs::set_permissions(&known, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&known, place.path()).unwrap();
        assert!(place.refused().contains("symbolic link"));
        fs::remove_file(place.path()).unwrap();
        fs::create_dir(place.path()).unwrap();
        assert!(place.refused().contains("no plain file"));
        fs::remove_dir(place.path()).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path(), rustix::fs::Mode::RUSR).unwrap();
        assert!(place.refused().contains("no plain file"));
    }

    #[test]
    fn a_key_of_another_length_is_refused_and_not_replaced() {
        let place = Place::new();
        for length in [0, 1, 31, 33, 64] {
            fs::write(place.path(), vec![1; length]).unwrap();
            place.chmod(0o600);
            assert!(place.refused().contains("is not 32 bytes long"), "{length}");
            assert_eq!(fs::read(place.path()).unwrap().len(), length);
        }
    }
}
