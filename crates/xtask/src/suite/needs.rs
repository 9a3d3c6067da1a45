//! What a machine must have before the suite starts, each with the command that installs it.

use std::process::{Command, Stdio};

use super::Part;
use crate::workspace;

/// A program that must run, and what to do when it does not.
struct Need {
    what: &'static str,
    probe: &'static [&'static str],
    install: &'static str,
    /// Only those tests need it that run the official clients.
    interop_only: bool,
}

const NEEDS: &[Need] = &[
    Need { what: "a C compiler", probe: &["cc", "--version"], install: "apt-get install build-essential", interop_only: false },
    Need { what: "rustfmt", probe: &[workspace::CARGO, "fmt", "--version"], install: "rustup component add rustfmt", interop_only: false },
    Need { what: "clippy", probe: &[workspace::CARGO, "clippy", "--version"], install: "rustup component add clippy", interop_only: false },
    Need {
        what: "Python 3.11 or later",
        probe: &["python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
        install: "apt-get install python3",
        interop_only: true,
    },
    Need {
        what: "Python's venv module",
        probe: &["python3", "-c", "import ensurepip, venv"],
        install: "apt-get install python3-venv",
        interop_only: true,
    },
    Need {
        what: "Chromium and its driver, for the tests of the sign-in page (root installs them by itself)",
        probe: &["sh", "-c", "command -v chromium && command -v chromedriver || { test $(id -u) = 0 && command -v apt-get; }"],
        install: "apt-get install chromium chromium-driver",
        interop_only: true,
    },
    Need {
        what: "a JDK, for a client on the JVM (root installs it by itself)",
        probe: &["sh", "-c", "command -v javac || { test $(id -u) = 0 && command -v apt-get; }"],
        install: "apt-get install default-jdk-headless",
        interop_only: true,
    },
    Need {
        what: "OpenSSL's headers, for Rust's azure_identity with a certificate (root installs them by itself)",
        probe: &["sh", "-c", "pkg-config --exists openssl || { test $(id -u) = 0 && command -v apt-get; }"],
        install: "apt-get install pkg-config libssl-dev",
        interop_only: true,
    },
    Need {
        what: "man and groff, for the manual pages (root installs them by itself)",
        probe: &["sh", "-c", "command -v man && command -v groff || { test $(id -u) = 0 && command -v apt-get; }"],
        install: "apt-get install man-db groff",
        interop_only: true,
    },
    Need { what: "openssl", probe: &["openssl", "version"], install: "apt-get install openssl", interop_only: true },
    Need { what: "curl", probe: &["curl", "--version"], install: "apt-get install curl", interop_only: true },
];

/// One line for each thing that this part of the suite needs and the machine lacks.
pub(super) fn missing(part: Part) -> Vec<String> {
    let interop = matches!(part, Part::All | Part::Interop);
    lacking(NEEDS.iter().filter(|need| interop || !need.interop_only), runs)
}

fn lacking<'a>(needs: impl Iterator<Item = &'a Need>, runs: impl Fn(&[&str]) -> bool) -> Vec<String> {
    needs.filter(|need| !runs(need.probe)).map(|need| format!("this machine lacks {}: `{}`", need.what, need.install)).collect()
}

fn runs(command: &[&str]) -> bool {
    let quiet = Command::new(command[0]).args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_named_at_once_with_its_command() {
        let lines = lacking(NEEDS.iter(), |probe| probe[0] != "openssl" && !probe.contains(&"import ensurepip, venv"));
        assert_eq!(
            lines,
            [
                "this machine lacks Python's venv module: `apt-get install python3-venv`",
                "this machine lacks openssl: `apt-get install openssl`"
            ]
        );
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_does_not_run() {
        assert!(runs(&["true"]));
        assert!(!runs(&["false"]));
        assert!(!runs(&["no-such-program-here"]));
    }
}
