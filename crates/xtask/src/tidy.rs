//! `cargo xtask tidy`: the repository's rules, all problems at once, each with what to do about it.
//!
//! The rules live in one file per subject below; this file only gathers what they report.

mod bans;
mod circles;
mod crates;
mod directions;
mod graph;
mod guide;
mod licences;
mod manifest;
mod negative_cases;
mod prose;
mod rust_text;
mod source_file;
mod sources;
mod tables;
mod unused;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::{usage, workspace};
use graph::Graph;

/// One broken rule: where, what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    place: String,
    what: String,
    remedy: &'static str,
}

impl Problem {
    fn new(place: impl Into<String>, what: impl Into<String>, remedy: &'static str) -> Self {
        Self { place: place.into(), what: what.into(), remedy }
    }
}

/// Prints every problem; exit code 1 if there is any.
///
/// # Errors
/// When the workspace cannot be read.
pub(crate) fn command(arguments: &[String]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        return usage("tidy takes no arguments");
    }
    let problems = check(&workspace::root())?;
    for problem in &problems {
        println!("{}: {}\n    -> {}", problem.place, problem.what, problem.remedy);
    }
    if problems.is_empty() {
        println!("tidy");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} problems", problems.len());
    Ok(ExitCode::FAILURE)
}

/// Every rule, over the workspace at `root`.
fn check(root: &Path) -> Result<BTreeSet<Problem>> {
    let graph = Graph::of(&workspace::metadata(root)?);
    let read = |name: &str| fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"));
    let files = source_file::files(root)?;

    let mut problems = BTreeSet::new();
    problems.extend(crates::check(&graph, &files));
    problems.extend(directions::check(&graph));
    problems.extend(circles::check(&files));
    let deny = read("deny.toml")?;
    problems.extend(bans::check(&workspace::built(root)?, &deny));
    problems.extend(bans::wildcards(&graph));
    problems.extend(licences::check(&graph, &deny));
    for lock in ["Cargo.lock", "benches/peers/Cargo.lock", "interop/rust/Cargo.lock"] {
        problems.extend(bans::sources(lock, &read(lock)?));
    }
    problems.extend(manifest::check(&read("Cargo.toml")?));
    problems.extend(sources::check(&files));
    problems.extend(unused::check(&graph, &files));
    problems.extend(negative_cases::check(&read(negative_cases::TABLE)?, &files));
    problems.extend(tables::check(&read(tables::LIMITS)?, &read(tables::DEFECTS)?, &files));
    problems.extend(guide::check(&read(guide::GUIDE)?, &files, |path| root.join(path).exists()));
    problems.extend(prose::check(root)?);
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let problems = check(&workspace::root()).unwrap();
        assert!(problems.is_empty(), "run `cargo xtask tidy`: {problems:#?}");
    }
}
