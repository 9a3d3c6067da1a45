//! Which crates exist and why: a crate needs one of the reasons below and says so in its first lines.

use super::Problem;
use super::graph::Graph;
use super::source_file::SourceFile;

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
    /// The words with which the crate's first lines state this reason; programs need none.
    fn words(self) -> Option<&'static str> {
        match self {
            Reason::Published => Some("published"),
            Reason::PureCore => Some("a pure core"),
            Reason::Port => Some("a port"),
            Reason::Adapter => Some("an adapter"),
            Reason::Role | Reason::Composition => Some("a process role"),
            Reason::Developers => Some("developers only"),
            Reason::Command => None,
        }
    }
}

/// Every crate that may exist. A new one is argued for here.
const CRATES: &[(&str, Reason)] = &[
    ("keyless-wire", Reason::Published),
    ("keyless-model", Reason::PureCore),
    ("keyless-rbac", Reason::PureCore),
    ("keyless-token", Reason::PureCore),
    ("keyless-audit", Reason::PureCore),
    ("keyless-directory", Reason::PureCore),
    ("keyless-config", Reason::PureCore),
    ("keyless-store", Reason::Port),
    ("keyless-web", Reason::Port),
    ("keyless-store-sqlite", Reason::Adapter),
    ("keyless-authority", Reason::Role),
    ("keyless-metadata", Reason::Role),
    ("keyless-control", Reason::Role),
    ("keyless-gateway", Reason::Role),
    ("keyless-server", Reason::Composition),
    ("keyless-cli", Reason::Command),
    ("keyless-testkit", Reason::Developers),
    ("keyless-fuzz", Reason::Developers),
    ("xtask", Reason::Developers),
];

/// The reason for the crate `name`, if it is known.
pub(super) fn reason(name: &str) -> Option<Reason> {
    CRATES.iter().find(|(known, _)| *known == name).map(|(_, reason)| *reason)
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
                format!("`{name}` is {reason:?} but publishable = {}", package.publishable),
                "write `publish = false`, except in the crates meant for others",
            ));
        }
        let first = ["lib.rs", "main.rs"].iter().map(|file| format!("{folder}/src/{file}"));
        let Some(file) = first.clone().find_map(|path| files.iter().find(|file| file.path == path)) else {
            problems.push(Problem::new(folder, "neither src/lib.rs nor src/main.rs", "add one"));
            continue;
        };
        if let Some(words) = reason.words()
            && !states(&header(&file.text), words)
        {
            problems.push(Problem::new(
                &file.path,
                format!("its `//!` lines do not say `Reason to be a crate: {words}`"),
                "start the file with what the crate is for, then why it is a crate",
            ));
        }
    }
    problems
}

/// The `//!` lines at the top of a file, as one line in lower case.
fn header(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.trim_start().strip_prefix("//!"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Whether a header gives this reason.
fn states(header: &str, words: &str) -> bool {
    let reason = header.split_once("reason to be a crate:").map(|(_, rest)| rest.trim_start());
    // A crate for developers says so in its first sentence.
    reason.is_some_and(|reason| reason.starts_with(words)) || (words == "developers only" && header.starts_with(words))
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
        let problems = check(&graph("keyless-rbac"), &[lib("rbac", "//! Decides.\n//!\n//! Reason to be a\n//! crate: a pure core.\n")]);
        assert_eq!(problems, []);
    }

    #[test]
    fn a_crate_without_its_reason_is_reported() {
        let problems = check(&graph("keyless-rbac"), &[lib("rbac", "//! Decides; not a pure core.\nfn f() {}")]);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn an_unknown_crate_is_reported() {
        assert_eq!(check(&graph("keyless-util"), &[lib("util", "//! Pure.")]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_library_or_program_is_reported() {
        assert_eq!(check(&graph("keyless-rbac"), &[]).len(), 1);
    }

    #[test]
    fn a_private_crate_that_could_be_published_is_reported() {
        let graph = change(graph("keyless-rbac"), "keyless-rbac", |package| package.publishable = true);
        assert_eq!(check(&graph, &[lib("rbac", "//! Reason to be a crate: a pure core")]).len(), 1);
    }
}
