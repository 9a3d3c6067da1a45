//! The crates that may not be there, where crates may come from, and versions of `*`: what `deny.toml` says under `[bans]` and
//! `[sources]`. The list of bans is the one there; no second copy of it exists.

use super::Problem;
use super::graph::Graph;

/// The one registry; a path has no source at all.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Packages of the graph that are banned, and versions that take whatever comes.
pub(super) fn check(graph: &Graph, deny_toml: &str) -> Vec<Problem> {
    let banned = banned(deny_toml);
    if banned.is_empty() {
        return vec![Problem::new("deny.toml", "no crate is banned", "fill `deny` of its [bans] section")];
    }
    let mut problems = Vec::new();
    for package in graph.packages() {
        if let Some((name, reason)) = banned.iter().find(|(name, _)| *name == package.name) {
            let what = format!("a banned crate: {reason}");
            problems.push(Problem::new(name, what, "`cargo tree --all-features --invert` shows what asks for it"));
        }
        for wildcard in &package.wildcards {
            problems.push(Problem::new(&package.name, format!("takes any version of `{wildcard}`"), "state the version that it needs"));
        }
    }
    problems
}

/// Packages of a lock file that come from elsewhere than the registry.
pub(super) fn sources(place: &str, lock: &str) -> Vec<Problem> {
    let elsewhere = lock.lines().filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"')).filter(|source| *source != REGISTRY);
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

    const DENY: &str = "[licenses]\n[bans]\ndeny = [\n    { crate = \"rsa\", reason = \"not constant-time\" },\n    # { crate = \"x\" }\n]\n[sources]\n";

    #[test]
    fn a_banned_crate_is_reported_with_its_reason_however_deep_it_lies() {
        let problems = check(&graph("keyless-web -> a\n a -> rsa"), DENY);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!((problems[0].place.as_str(), problems[0].what.as_str()), ("rsa", "a banned crate: not constant-time"));
        assert_eq!(check(&graph("keyless-web -> a, x"), DENY), []);
    }

    #[test]
    fn a_version_of_anything_is_reported() {
        let graph = change(graph("keyless-web -> a"), "keyless-web", |package| package.wildcards.push("a".to_owned()));
        assert_eq!(check(&graph, DENY).len(), 1);
    }

    #[test]
    fn an_empty_list_of_bans_is_reported() {
        assert_eq!(check(&graph("a"), "[bans]\ndeny = []\n").len(), 1);
    }

    #[test]
    fn a_crate_from_elsewhere_is_reported() {
        let lock = format!("name = \"a\"\nsource = \"{REGISTRY}\"\nname = \"b\"\nsource = \"git+https://example.com/b#1\"\n");
        assert_eq!(sources("Cargo.lock", &lock).len(), 1);
    }
}
