//! Which data folder a command means: `--data`, else `KEYLESS_DATA`, else the user's state folder.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::env_registry::{Environment, HOME, KEYLESS_DATA, XDG_STATE_HOME};
use crate::failure::Failure;

/// A data folder, and whether the next command finds it without being told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataDir {
    pub(crate) path: PathBuf,
    /// Named on the command line, so that commands to try next must name it too.
    named: bool,
}

impl DataDir {
    /// A folder that commands must be told of.
    pub(crate) const fn named(path: PathBuf) -> Self {
        Self { path, named: true }
    }

    /// # Errors
    /// When nothing says where the user's folders are.
    pub(crate) fn choose(named: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        if let Some(path) = named.filter(|path| !path.as_os_str().is_empty()) {
            return Ok(Self { path: path.to_owned(), named: true });
        }
        let from = |variable| environment.value(variable).map(PathBuf::from);
        let path = from(KEYLESS_DATA)
            // The XDG specification: a relative path is invalid and must be ignored.
            .or_else(|| Some(from(XDG_STATE_HOME).filter(|path| path.is_absolute())?.join("keyless")))
            .or_else(|| Some(from(HOME)?.join(".local/state/keyless")))
            .ok_or_else(|| Failure::usage("no data folder is known: HOME is not set", "name one with --data DIR, or set KEYLESS_DATA"))?;
        Ok(Self { path, named: false })
    }

    /// ` --data DIR` for commands shown to the user, or nothing when they find the folder by themselves.
    pub(crate) fn flag(&self) -> String {
        if self.named { format!(" --data {}", shell_word(&self.path.display().to_string())) } else { String::new() }
    }

    /// One command of the real `az`, which works in any shell: a bare `az` may be signed in to another cloud, or to none.
    pub(crate) fn az(&self, words: &str) -> String {
        format!("keyless az{} -- {words}", self.flag())
    }
}

/// The data folder belongs to another user of the machine.
#[derive(Debug, thiserror::Error)]
#[error("{} belongs to {owner}, and you are user {own}: only its owner may ask the system in it or read its log", .folder.display())]
pub(crate) struct NotYours {
    folder: PathBuf,
    owner: String,
    own: u32,
}

impl NotYours {
    pub(crate) const NEXT: &str =
        "ask its owner, who can lend you an identity and give you roles; or start a system of your own: keyless up --data DIR";

    pub(crate) fn new(folder: &Path) -> Self {
        let owner = std::fs::metadata(folder).map_or_else(|_| "another user".to_owned(), |facts| format!("user {}", facts.uid()));
        Self { folder: folder.to_owned(), owner, own: rustix::process::geteuid().as_raw() }
    }
}

impl From<NotYours> for Failure {
    fn from(error: NotYours) -> Self {
        Self::new(error.to_string(), NotYours::NEXT)
    }
}

/// The text as one word of a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=~".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(named: Option<&str>, variables: &[(&str, &str)]) -> String {
        let environment = variables.iter().copied().collect();
        DataDir::choose(named.map(Path::new), &environment).unwrap().path.display().to_string()
    }

    #[test]
    fn the_command_line_wins_then_the_variable_then_the_state_folder() {
        let all = [("KEYLESS_DATA", "/var/k"), ("XDG_STATE_HOME", "/state"), ("HOME", "/home/ada")];
        assert_eq!(chosen(Some("/here"), &all), "/here");
        assert_eq!(chosen(None, &all), "/var/k");
        assert_eq!(chosen(None, &all[1..]), "/state/keyless");
        assert_eq!(chosen(None, &all[2..]), "/home/ada/.local/state/keyless");
        assert_eq!(chosen(None, &[("XDG_STATE_HOME", "relative"), ("HOME", "/h")]), "/h/.local/state/keyless");
    }

    #[test]
    fn without_any_of_them_the_command_says_what_to_do() {
        let failure = DataDir::choose(None, &Environment::default()).unwrap_err();
        assert!(failure.next.unwrap().contains("--data"));
    }

    #[test]
    fn commands_to_try_name_the_folder_only_when_they_must() {
        let environment: Environment = [("HOME", "/h")].into_iter().collect();
        assert_eq!(DataDir::choose(None, &environment).unwrap().flag(), "");
        assert_eq!(DataDir::choose(Some(Path::new("/a b")), &environment).unwrap().flag(), " --data '/a b'");
    }

    #[test]
    fn a_shell_reads_a_word_back_as_it_was() {
        assert_eq!(shell_word("/plain/path-1"), "/plain/path-1");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("$(rm)"), "'$(rm)'");
    }
}
