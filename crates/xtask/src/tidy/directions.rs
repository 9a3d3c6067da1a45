//! Which crate may depend on which. The compiler enforces what a manifest says; this says what a manifest may say.

use super::Problem;
use super::crates::{Reason, reason};
use super::graph::{Graph, Kind};

/// What a pure core must not reach, however indirectly: runtimes, HTTP, TLS, SQL, other input and output.
const NOT_PURE: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "mio",
    "socket2",
    "hyper",
    "hyper-util",
    "axum",
    "axum-core",
    "http",
    "http-body",
    "h2",
    "tower",
    "reqwest",
    "ureq",
    "rustls",
    "tokio-rustls",
    "rusqlite",
    "libsqlite3-sys",
    "sqlx",
    "tokio-postgres",
    "redis",
    "fred",
    "rustix",
    "tempfile",
    "tracing-subscriber",
];

/// Every direction rule.
pub(super) fn check(graph: &Graph) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in graph.ours() {
        let Some(kind) = reason(&package.name) else {
            continue;
        };
        match kind {
            Reason::PureCore => pure(graph, &package.name, &mut problems),
            Reason::Role => role(graph, &package.name, &mut problems),
            Reason::Published => published(graph, &package.name, &mut problems),
            _ => (),
        }
        if package.name == "keyless-wire" {
            serde_only(graph, &mut problems);
        }
        for (dependency, edge) in &package.dependencies {
            let (from, to) = (kind, reason(dependency));
            if to == Some(Reason::Adapter) && !names_adapters(&package.name) {
                problems.push(Problem::new(
                    &package.name,
                    format!("names the concrete store `{dependency}`"),
                    "only keyless-server chooses a store; tests take one from keyless-testkit",
                ));
            }
            if to == Some(Reason::Developers) && from != Reason::Developers && *edge == Kind::Shipped {
                problems.push(Problem::new(
                    &package.name,
                    format!("ships `{dependency}`, which is for developers only"),
                    "move it to [dev-dependencies]",
                ));
            }
        }
    }
    problems
}

fn names_adapters(name: &str) -> bool {
    matches!(name, "keyless-server" | "keyless-testkit")
}

/// Pure cores reach nothing that does input or output, and of ours only what stands below them.
fn pure(graph: &Graph, name: &str, problems: &mut Vec<Problem>) {
    for reached in graph.reach(name) {
        if NOT_PURE.contains(&reached) {
            problems.push(Problem::new(
                name,
                format!("a pure core that reaches `{reached}`"),
                "take the effect as an argument; `cargo tree -e normal,build -i` shows the way there",
            ));
        }
        let below = match reached {
            "keyless-wire" => true,
            "keyless-model" => name != "keyless-model",
            // The domain stands on the other cores.
            "keyless-rbac" | "keyless-token" => name == "keyless-directory",
            other => !other.starts_with("keyless-"),
        };
        if !below {
            problems.push(Problem::new(
                name,
                format!("a pure core that depends on `{reached}`"),
                "the direction is wire, model <- rbac, token, audit <- directory; move the shared noun to keyless-model",
            ));
        }
    }
}

/// Roles meet in the composition only; not even their tests may know each other.
fn role(graph: &Graph, name: &str, problems: &mut Vec<Problem>) {
    let dev = graph.ours().filter(|package| package.name == name).flat_map(|package| &package.dependencies);
    let mut reached = graph.reach(name);
    reached.extend(dev.map(|(dependency, _)| dependency.as_str()));
    for other in reached {
        if matches!(reason(other), Some(Reason::Role | Reason::Composition | Reason::Command)) {
            problems.push(Problem::new(
                name,
                format!("a role that depends on `{other}`"),
                "share through keyless-web, keyless-store or a pure core; compose in keyless-server",
            ));
        }
    }
}

/// What others build from a registry cannot contain what is in no registry.
fn published(graph: &Graph, name: &str, problems: &mut Vec<Problem>) {
    for reached in graph.reach(name) {
        let ours = graph.ours().any(|package| package.name == reached);
        if ours && reason(reached) != Some(Reason::Published) {
            problems.push(Problem::new(
                name,
                format!("published, but depends on the unpublished `{reached}`"),
                "move what it needs into a published crate",
            ));
        }
    }
}

/// The wire crate describes shapes; anything but serde would be behaviour.
fn serde_only(graph: &Graph, problems: &mut Vec<Problem>) {
    let wire = graph.ours().filter(|package| package.name == "keyless-wire");
    for (dependency, kind) in wire.flat_map(|package| &package.dependencies) {
        if *kind == Kind::Shipped && !matches!(dependency.as_str(), "serde" | "serde_json") {
            problems.push(Problem::new(
                "keyless-wire",
                format!("depends on `{dependency}`"),
                "wire shapes need serde and serde_json only; behaviour belongs to the crate that uses the shape",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::draw::graph;
    use super::*;

    fn complaints(lines: &str) -> Vec<String> {
        check(&graph(lines)).into_iter().map(|problem| format!("{}: {}", problem.place, problem.what)).collect()
    }

    #[test]
    fn the_intended_shape_is_accepted() {
        let lines = "
            keyless-wire -> serde, serde_json ~> insta
            keyless-model -> serde
            keyless-rbac -> keyless-model ~> tokio, keyless-testkit
            keyless-token -> keyless-model, keyless-wire
            keyless-directory -> keyless-rbac, keyless-token, imbl
            keyless-store -> keyless-directory, tokio
            keyless-store-sqlite -> keyless-store, rusqlite
            keyless-gateway -> keyless-store, keyless-rbac, hyper ~> keyless-testkit
            keyless-testkit -> keyless-store-sqlite
            keyless-server -> keyless-gateway, keyless-store-sqlite
        ";
        assert_eq!(complaints(lines), [""; 0]);
    }

    #[test]
    fn a_pure_core_that_reaches_a_runtime_through_others_is_reported() {
        let found = complaints("keyless-rbac -> cache\n cache -> tokio");
        assert_eq!(found, ["keyless-rbac: a pure core that reaches `tokio`"]);
    }

    #[test]
    fn pure_cores_on_one_level_do_not_depend_on_each_other() {
        assert_eq!(complaints("keyless-rbac -> keyless-token").len(), 1);
        assert_eq!(complaints("keyless-model -> keyless-audit").len(), 1);
        assert_eq!(complaints("keyless-token -> keyless-directory").len(), 1);
        assert_eq!(complaints("keyless-directory -> keyless-store").len(), 1);
    }

    #[test]
    fn a_role_that_depends_on_a_role_is_reported_even_in_its_tests() {
        assert_eq!(complaints("keyless-gateway -> keyless-authority").len(), 1);
        assert_eq!(complaints("keyless-gateway ~> keyless-control").len(), 1);
        assert_eq!(complaints("keyless-gateway -> keyless-web\n keyless-web -> keyless-metadata").len(), 1);
    }

    #[test]
    fn only_the_composition_and_the_testkit_name_a_store() {
        assert_eq!(complaints("keyless-cli -> keyless-store-sqlite").len(), 1);
        assert_eq!(complaints("keyless-control ~> keyless-store-sqlite").len(), 1);
    }

    #[test]
    fn the_testkit_is_never_shipped() {
        assert_eq!(complaints("keyless-web -> keyless-testkit").len(), 1);
    }

    #[test]
    fn a_published_crate_with_an_unpublished_dependency_is_reported() {
        assert!(complaints("keyless-wire -> keyless-model").iter().any(|complaint| complaint.contains("unpublished")));
    }

    #[test]
    fn the_wire_crate_has_serde_only() {
        assert_eq!(complaints("keyless-wire -> serde, uuid").len(), 1);
    }
}
