//! Runs a child process, showing its output as it comes while someone else reads along.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;

use anyhow::{Context as _, Result};

/// Runs `command` to its end. Every line is echoed at once and then handed to `on_line`, without colour codes.
///
/// # Errors
/// When the program cannot be started or waited for; a failing exit status is a value, not an error.
pub(crate) fn run(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<ExitStatus> {
    let name = command.get_program().to_string_lossy().into_owned();
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| format!("cannot start `{name}`"))?;
    let stdout = child.stdout.take().expect("stdout was piped above");
    let stderr = child.stderr.take().expect("stderr was piped above");

    let (sender, lines) = mpsc::channel();
    std::thread::scope(|scope| {
        let other = sender.clone();
        scope.spawn(move || pump(stdout, false, &sender));
        scope.spawn(move || pump(stderr, true, &other));
        for (is_stderr, line) in lines {
            if is_stderr {
                eprintln!("{line}");
            } else {
                println!("{line}");
            }
            on_line(&plain(&line));
        }
    });
    child.wait().with_context(|| format!("cannot wait for `{name}`"))
}

/// Sends each line of `source`; ends at end of file or when nobody listens any more.
fn pump(source: impl Read, is_stderr: bool, sink: &mpsc::Sender<(bool, String)>) {
    let mut reader = BufReader::new(source);
    let mut bytes = Vec::new();
    while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if sink.send((is_stderr, line)).is_err() {
            return;
        }
    }
}

/// `line` without ANSI colour sequences.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            text.push(character);
            continue;
        }
        // CSI: ends at the first letter after the bracket.
        for skipped in characters.by_ref() {
            if skipped.is_ascii_alphabetic() {
                break;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_streams_are_seen_and_the_status_is_kept() {
        let mut seen = Vec::new();
        let status = run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), |line| {
            seen.push(line.to_owned());
        })
        .unwrap();
        seen.sort();
        assert_eq!(seen, ["err", "out"]);
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn colour_codes_are_removed() {
        assert_eq!(plain("\u{1b}[32;1m5 passed\u{1b}[0m in 1s"), "5 passed in 1s");
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error() {
        assert!(run(&mut Command::new("no-such-program-here"), |_| ()).is_err());
    }
}
