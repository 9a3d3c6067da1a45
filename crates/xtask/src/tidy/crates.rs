//! Which crates exist and why: a crate needs one of the reasons below and says so in its first lines.

use super::Problem;
use super::graph::Graph;
use super::sources::SourceFile;

/// Why something is a crate of its own rather than a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Others depend on it from outside this repository.
    Published,
    /// No input or output at all: everything is an argument.
    PureCore,
    /// The side of a boundary that its users see.
    Port,
    /// The side of a boundary that only the composition names.
    Adapter,
    /// A role of the process, testable alone.
    Role,
    /// Puts the roles together.
    Composition,
    /// A program, not a library.
    Command,
    /// Never part of a released program.
    Developers,
}

impl Reason {
    /// The word by which the first lines of the crate state this reason.
    fn word(self) -> &'static str {
        match self {
            Reason::Published => "published",
            Reason::PureCore => "pure",
            Reason::Port => "port",
            Reason::Adapter => "adapter",
            Reason::Role => "role",
            Reason::Composition => "composes",
            Reason::Command => "command",
            Reason::Developers => "developers only",
        }
    }
}

/// Every crate that may exist. A new one is argued for here.
const CRATES: &[(&str, Reason)] = &[
    ("keyless-wire", Reason::Published),
    ("keyless-credential", Reason::Published),
    ("keyless-model", Reason::PureCore),
    ("keyless-rbac", Reason::PureCore),
    ("keyless-token", Reason::PureCore),
    ("keyless-audit", Reason::PureCore),
    ("keyless-store", Reason::Port),
    ("keyless-web", Reason::Port),
    ("keyless-store-sqlite", Reason::Adapter),
    ("keyless-store-postgres", Reason::Adapter),
    ("keyless-authority", Reason::Role),
    ("keyless-metadata", Reason::Role),
    ("keyless-control", Reason::Role),
    ("keyless-gateway", Reason::Role),
    ("keyless-server", Reason::Composition),
    ("keyless-cli", Reason::Command),
    ("keyless-testkit", Reason::Developers),
    ("xtask", Reason::Developers),
];

/// The reason for the crate `name`, if it is known.
pub(super) fn reason(name: &str) -> Option<Reason> {
    CRATES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, reason)| *reason)
}

/// Crates are known, say why they exist, and only those meant for it can be published.
pub(super) fn check(graph: &Graph, files: &[SourceFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in graph.ours() {
        let (name, folder) = (&package.name, package.folder.as_deref().unwrap_or_default());
        let Some(reason) = reason(name) else {
            problems.push(Problem::new(
                folder,
                format!("`{name}` has no stated reason to be a crate"),
                "make it a module, or argue for it in the list of crates/xtask/src/tidy/crates.rs",
            ));
            continue;
        };
        if package.publishable != (reason == Reason::Published) {
            problems.push(Problem::new(
                folder,
                format!(
                    "`{name}` is {reason:?} but publishable = {}",
                    package.publishable
                ),
                "write `publish = false`, except in the crates meant for others",
            ));
        }
        let first = ["lib.rs", "main.rs"]
            .iter()
            .map(|file| format!("{folder}/src/{file}"));
        let Some(file) = first
            .clone()
            .find_map(|path| files.iter().find(|file| file.path == path))
        else {
            problems.push(Problem::new(
                folder,
                "neither src/lib.rs nor src/main.rs",
                "add one",
            ));
            continue;
        };
        let header: String = header(&file.text).to_lowercase();
        if !mentions(&header, reason.word()) {
            problems.push(Problem::new(
                &file.path,
                format!(
                    "its `//!` lines do not say that it is {reason:?} (no word `{}`)",
                    reason.word()
                ),
                "start the file with what the crate is for and why it is a crate",
            ));
        }
    }
    problems
}

/// The `//!` lines at the top of a file.
fn header(text: &str) -> String {
    let lines = text
        .lines()
        .map_while(|line| line.trim_start().strip_prefix("//!"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether `word` stands in `text` by itself (an ending `s` is no other word).
fn mentions(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..]
            .trim_start_matches('s')
            .chars()
            .next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::super::graph::draw::{change, graph};
    use super::*;

    fn lib(folder: &str, text: &str) -> SourceFile {
        SourceFile::new(format!("crates/{folder}/src/lib.rs"), text.to_owned())
    }

    #[test]
    fn a_crate_that_states_its_reason_is_fine() {
        let problems = check(
            &graph("keyless-rbac"),
            &[lib("rbac", "//! Decides.\n//! A pure core.\n")],
        );
        assert_eq!(problems, []);
    }

    #[test]
    fn a_crate_without_its_reason_is_reported() {
        let problems = check(
            &graph("keyless-rbac"),
            &[lib("rbac", "//! Decides, purely.\nfn pure() {}")],
        );
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn an_unknown_crate_is_reported() {
        assert_eq!(
            check(&graph("keyless-util"), &[lib("util", "//! Pure.")]).len(),
            1
        );
    }

    #[test]
    fn a_crate_without_a_library_or_program_is_reported() {
        assert_eq!(check(&graph("keyless-rbac"), &[]).len(), 1);
    }

    #[test]
    fn a_private_crate_that_could_be_published_is_reported() {
        let graph = change(graph("keyless-rbac"), "keyless-rbac", |package| {
            package.publishable = true
        });
        assert_eq!(check(&graph, &[lib("rbac", "//! Pure.")]).len(), 1);
    }
}
