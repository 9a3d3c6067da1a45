//! Every dependency's licence is one we accept. The list is the one in `deny.toml`; no second copy of it exists.
//!
//! By hand, although `cargo deny` judges licences too: the tests run without a network and without tools that one must install first.

use std::collections::BTreeSet;

use super::Problem;
use super::graph::Graph;

/// Packages whose licence expression the allow list does not satisfy.
pub(super) fn check(graph: &Graph, deny_toml: &str) -> Vec<Problem> {
    let allowed = allow_list(deny_toml);
    if allowed.is_empty() {
        return vec![Problem::new("deny.toml", "no licence is allowed", "fill `allow` of its [licenses] section")];
    }
    let exceptions = exceptions(deny_toml);
    let unacceptable = graph.packages().filter(|package| {
        let extra = exceptions.iter().filter(|(name, _)| *name == package.name).map(|(_, licence)| licence.clone());
        let allowed = allowed.iter().cloned().chain(extra).collect();
        !package.licence.as_deref().and_then(|text| satisfied(text, &allowed)).unwrap_or(false)
    });
    unacceptable
        .map(|package| {
            Problem::new(
                &package.name,
                format!("licence `{}` is not accepted", package.licence.as_deref().unwrap_or("none stated")),
                "choose another crate, or argue for the licence in deny.toml",
            )
        })
        .collect()
}

/// The strings of `allow = [...]` in the `[licenses]` section.
fn allow_list(deny_toml: &str) -> BTreeSet<String> {
    let without_comments: String = deny_toml.lines().map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let section = without_comments.split("\n[").find_map(|section| section.strip_prefix("licenses]"));
    let list = section.and_then(|section| section.split_once("allow = [")).and_then(|(_, rest)| rest.split_once(']'));
    let strings = list.map(|(list, _)| list.split('"').skip(1).step_by(2).map(str::to_owned));
    strings.into_iter().flatten().collect()
}

/// Crate and licence of each line `{ crate = "...", allow = ["..."] }`.
fn exceptions(deny_toml: &str) -> Vec<(String, String)> {
    let lines = deny_toml.lines().filter_map(|line| line.trim().strip_prefix("{ crate = \"")?.split_once("\", allow = [\""));
    lines.filter_map(|(name, rest)| Some((name.to_owned(), rest.split_once('"')?.0.to_owned()))).collect()
}

/// Whether an SPDX expression can be satisfied with `allowed`; `None` when it does not parse.
///
/// Accepts the old `A/B` for `A OR B`, as Cargo does. `AND` binds tighter than `OR` (SPDX 2.3, annex D.4).
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let result = either(&mut words, allowed)?;
    words.next().is_none().then_some(result)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut result = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        result |= both(words, allowed)?;
    }
    Some(result)
}

fn both(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut result = single(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        result &= single(words, allowed)?;
    }
    Some(result)
}

fn single(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    match words.next()? {
        "(" => {
            let result = either(words, allowed)?;
            words.next_if_eq(&")").map(|_| result)
        }
        ")" | "OR" | "AND" | "WITH" => None,
        // `MPL-2.0+` offers a choice of versions, the stated one among them.
        licence => {
            let licence = licence.strip_suffix('+').unwrap_or(licence);
            let exception = match words.next_if_eq(&"WITH") {
                Some(_) => format!("{licence} WITH {}", words.next()?),
                None => licence.to_owned(),
            };
            // An exception only ever grants more than the licence alone.
            Some(allowed.contains(licence) || allowed.contains(&exception))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::draw::{change, graph};
    use super::*;

    const DENY: &str = "[bans]\nallow = [\"GPL-3.0\"]\n[licenses]\n# \"AGPL-3.0\"\nallow = [\"MIT\", \"ISC\", \"Apache-2.0\"]\n[x]\n";

    fn verdict(expression: &str) -> Option<bool> {
        satisfied(expression, &allow_list(DENY))
    }

    #[test]
    fn the_allow_list_is_that_of_the_licence_section() {
        assert_eq!(allow_list(DENY).into_iter().collect::<Vec<_>>(), ["Apache-2.0", "ISC", "MIT"]);
    }

    #[test]
    fn expressions_follow_spdx_precedence() {
        assert_eq!(verdict("MIT"), Some(true));
        assert_eq!(verdict("GPL-3.0"), Some(false));
        assert_eq!(verdict("GPL-3.0 OR MIT"), Some(true));
        assert_eq!(verdict("MIT AND GPL-3.0"), Some(false));
        assert_eq!(verdict("GPL-3.0 AND ISC OR MIT"), Some(true));
        assert_eq!(verdict("GPL-3.0 AND (ISC OR MIT)"), Some(false));
        assert_eq!(verdict("GPL-3.0/MIT"), Some(true));
        assert_eq!(verdict("ISC+"), Some(true));
        assert_eq!(verdict("MIT WITH Some-exception"), Some(true));
    }

    #[test]
    fn nonsense_is_not_accepted() {
        for text in ["", "MIT OR", "(MIT", "MIT)", "MIT MIT", "AND MIT"] {
            assert_eq!(verdict(text), None, "{text}");
        }
    }

    #[test]
    fn a_package_with_a_refused_or_missing_licence_is_reported() {
        let graph = change(graph("dep"), "dep", |package| package.licence = Some("GPL-3.0".to_owned()));
        assert_eq!(check(&graph, DENY).len(), 1);
        let graph = change(graph, "dep", |package| package.licence = None);
        assert_eq!(check(&graph, DENY).len(), 1);
    }

    #[test]
    fn an_exception_holds_for_its_crate_only() {
        let deny = format!("{DENY}    {{ crate = \"dep\", allow = [\"NCSA\"] }}, # why\n");
        let graph = change(graph("dep -> other"), "dep", |package| package.licence = Some("MIT AND NCSA".to_owned()));
        assert_eq!(check(&graph, &deny), []);
        let graph = change(graph, "other", |package| package.licence = Some("NCSA".to_owned()));
        let places: Vec<_> = check(&graph, &deny).into_iter().map(|problem| problem.place).collect();
        assert!(places.contains(&"other".to_owned()), "{places:?}");
    }

    #[test]
    fn an_empty_allow_list_is_reported() {
        assert_eq!(check(&graph("dep"), "[licenses]\n").len(), 1);
    }
}
