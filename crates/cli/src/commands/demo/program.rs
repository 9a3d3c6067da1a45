//! The program of the show: the first of the examples, exactly as it is.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::running::own_path;
use crate::data_dir::DataDir;
use crate::failure::{Explain as _, Failure};

const SOURCE: &str = include_str!("../../../../../examples/python/chat.py");

/// The program, ready to be run.
#[derive(Debug)]
pub(super) struct Program {
    python: PathBuf,
    file: PathBuf,
}

/// What a run of it came to.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) succeeded: bool,
    /// Its answer, or the last line of what it complained about.
    pub(super) said: String,
}

impl Program {
    pub(super) fn write(python: PathBuf, folder: &Path) -> Result<Self, Failure> {
        let file = folder.join("chat.py");
        std::fs::write(&file, SOURCE).explain(|| format!("{} cannot be written", file.display()), "free some disk space")?;
        Ok(Self { python, file })
    }

    /// Its lines, without the sentence that describes it.
    pub(super) fn lines() -> impl Iterator<Item = &'static str> {
        SOURCE.lines().skip_while(|line| line.starts_with("\"\"\"") || line.is_empty())
    }

    /// Runs it under `keyless run`, as anyone would.
    pub(super) async fn run_as(&self, identity: &str, data: &DataDir) -> Result<Ran, Failure> {
        let mut command = Command::new(own_path()?);
        command.args(["run", "--as", identity, "--data"]).arg(&data.path).arg("--").arg(&self.python).arg(&self.file);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
        let output = output.explain(|| "the program cannot be run".to_owned(), "run `keyless demo` again")?;
        let succeeded = output.status.success();
        let text = String::from_utf8_lossy(if succeeded { &output.stdout } else { &output.stderr }).into_owned();
        let said = if succeeded { text.trim().to_owned() } else { last_words(&text) };
        Ok(Ran { succeeded, said })
    }
}

/// The program's own last line; what `keyless run` remarks after it is not the program's.
fn last_words(complaint: &str) -> String {
    let own = |line: &&str| !line.trim().is_empty() && !line.starts_with("keyless:");
    complaint.lines().rfind(own).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keyless_remarks_after_a_program_is_not_taken_for_its_words() {
        let said = "Traceback\nopenai.AuthenticationError: Error code: 401\nkeyless: calls of newcomer while it ran: 1 refused\n\n";
        assert_eq!(last_words(said), "openai.AuthenticationError: Error code: 401");
        assert_eq!(last_words(""), "");
    }

    #[test]
    fn the_program_shown_is_whole_and_has_no_key() {
        let lines: Vec<_> = Program::lines().collect();
        assert_eq!(lines.first(), Some(&"import os"));
        assert!(lines.iter().any(|line| line.contains("DefaultAzureCredential()")));
        assert!(!SOURCE.contains("api_key"));
    }
}
