//! The crates that may not be there, where crates may come from, and versions of `*`: what `deny.toml` says under `[bans]` and
//! `[sources]`. The list of bans is the one there; no second copy of it exists.

use std::collections::BTreeSet;

use super::Problem;
use super::graph::Graph;

/// The one registry; a path has no source at all.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that are built and banned.
pub(super) fn check(built: &BTreeSet<String>, deny_toml: &str) -> Vec<Problem> {
    let banned = banned(deny_toml);
    if banned.is_empty() {
        return vec![Problem::new("deny.toml", "no crate is banned", "fill `deny` of its [bans] section")];
    }
    let found = banned.into_iter().filter(|(name, _)| built.contains(name));
    found
        .map(|(name, reason)| {
            Problem::new(
                name,
                format!("a banned crate: {reason}"),
                "`cargo tree --workspace --all-features --invert` shows what asks for it",
            )
        })
        .collect()
}

/// Dependencies of ours that take whatever version comes.
pub(super) fn wildcards(graph: &Graph) -> Vec<Problem> {
    let all = graph.ours().flat_map(|package| package.wildcards.iter().map(|name| (&package.name, name)));
    all.map(|(package, name)| Problem::new(package, format!("takes any version of `{name}`"), "state the version that it needs")).collect()
}

/// Packages of a lock file that come from elsewhere than the registry.
pub(super) fn sources(place: &str, lock: &str) -> Vec<Problem> {
    let elsewhere =
        lock.lines().filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"')).filter(|source| *source != REGISTRY);
    elsewhere.map(|source| Problem::new(place, format!("a crate comes from `{source}`"), "take it from crates.io, or by path")).collect()
}

/// Names and reasons of `deny = [{ crate = "...", reason = "..." }, ...]` in the `[bans]` section.
fn banned(deny_toml: &str) -> Vec<(String, String)> {
    let section = deny_toml.split("\n[").find_map(|section| section.strip_prefix("bans]")).unwrap_or_default();
    let quoted = |line: &str, name: &str| Some(line.split_once(&format!("{name} = \""))?.1.split_once('"')?.0.to_owned());
    let entries = section.lines().map(str::trim).filter(|line| line.starts_with('{'));
    entries.filter_map(|line| Some((quoted(line, "crate")?, quoted(line, "reason")?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::graph::draw::{change, graph};
    use super::*;

    const DENY: &str =
        "[licenses]\n[bans]\ndeny = [\n    { crate = \"rsa\", reason = \"not constant-time\" },\n    # { crate = \"x\" }\n]\n[sources]\n";

    fn complaints(built: &[&str], deny: &str) -> Vec<String> {
        let built = built.iter().map(|name| (*name).to_owned()).collect();
        check(&built, deny).into_iter().map(|problem| format!("{}: {}", problem.place, problem.what)).collect()
    }

    #[test]
    fn a_banned_crate_is_reported_with_its_reason() {
        assert_eq!(complaints(&["a", "rsa"], DENY), ["rsa: a banned crate: not constant-time"]);
        assert_eq!(complaints(&["a", "x"], DENY), [""; 0]);
    }

    #[test]
    fn a_version_of_anything_is_reported() {
        let graph = change(graph("keyless-web -> a"), "keyless-web", |package| package.wildcards.push("a".to_owned()));
        assert_eq!(wildcards(&graph).len(), 1);
    }

    #[test]
    fn an_empty_list_of_bans_is_reported() {
        assert_eq!(complaints(&["a"], "[bans]\ndeny = []\n").len(), 1);
    }

    #[test]
    fn a_crate_from_elsewhere_is_reported() {
        let lock = format!("name = \"a\"\nsource = \"{REGISTRY}\"\nname = \"b\"\nsource = \"git+https://example.com/b#1\"\n");
        assert_eq!(sources("Cargo.lock", &lock).len(), 1);
    }
}
