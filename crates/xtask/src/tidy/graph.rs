//! The dependency graph the rules ask about: just names, kinds and reach, so that a rule's test can draw its own.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, PackageId};

/// What a dependency edge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Part of the program, or of building it.
    Shipped,
    /// Tests, examples and benches only.
    Dev,
}

/// One package. `folder` is relative to the root and set for our own packages only.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) folder: Option<String>,
    pub(super) publishable: bool,
    pub(super) licence: Option<String>,
    /// Name of the dependency as manifests write it, and its kind.
    pub(super) dependencies: Vec<(String, Kind)>,
    /// Dependencies of ours that take any version.
    pub(super) wildcards: Vec<String>,
    edges: Vec<usize>,
}

/// All packages of the resolved workspace.
#[derive(Debug, Default)]
pub(super) struct Graph {
    packages: Vec<Package>,
}

impl Graph {
    /// The graph of a workspace, for the platform the metadata was filtered to.
    pub(super) fn of(metadata: &Metadata) -> Self {
        let root = metadata.workspace_root.as_std_path();
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let nodes: BTreeMap<&PackageId, _> = nodes.map(|node| (&node.id, node)).collect();
        let reached: Vec<_> = metadata.packages.iter().filter(|package| nodes.contains_key(&package.id)).collect();
        let index: BTreeMap<&PackageId, usize> = reached.iter().enumerate().map(|(index, package)| (&package.id, index)).collect();

        let packages = reached.iter().map(|package| {
            let folder = package.manifest_path.parent().and_then(|folder| folder.strip_prefix(root).ok());
            let ours = metadata.workspace_members.contains(&package.id);
            Package {
                name: package.name.to_string(),
                folder: ours.then(|| folder.map(ToString::to_string)).flatten(),
                publishable: package.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
                licence: package.license.clone(),
                dependencies: package.dependencies.iter().map(declared).collect(),
                wildcards: package
                    .dependencies
                    .iter()
                    .filter(|dependency| ours && dependency.path.is_none() && dependency.req.to_string() == "*")
                    .map(|dependency| dependency.name.clone())
                    .collect(),
                edges: nodes[&package.id]
                    .deps
                    .iter()
                    .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development))
                    .filter_map(|dep| index.get(&dep.pkg).copied())
                    .collect(),
            }
        });
        Self { packages: packages.collect() }
    }

    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter()
    }

    /// Our own packages.
    pub(super) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.folder.is_some())
    }

    /// Names of everything that ends up in a program built from `name`, `name` itself excluded.
    pub(super) fn reach(&self, name: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<usize> = (0..self.packages.len()).filter(|&at| self.packages[at].name == name).collect();
        while let Some(at) = open.pop() {
            for &next in &self.packages[at].edges {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen.into_iter().map(|at| self.packages[at].name.as_str()).collect()
    }
}

fn declared(dependency: &cargo_metadata::Dependency) -> (String, Kind) {
    let kind = match dependency.kind {
        DependencyKind::Development => Kind::Dev,
        _ => Kind::Shipped,
    };
    (dependency.rename.clone().unwrap_or_else(|| dependency.name.to_string()), kind)
}

#[cfg(test)]
pub(super) mod draw {
    //! Graphs for the rules' own tests.

    use super::*;

    /// One line per package: `name -> shipped, shipped ~> dev`. Names starting with `keyless-`, and `xtask`, are ours.
    pub(in crate::tidy) fn graph(lines: &str) -> Graph {
        let mut graph = Graph::default();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (line, dev) = line.split_once("~>").unwrap_or((line, ""));
            let (name, shipped) = line.split_once("->").unwrap_or((line, ""));
            let at = node(&mut graph, name.trim());
            for (list, kind) in [(shipped, Kind::Shipped), (dev, Kind::Dev)] {
                for dependency in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                    let to = node(&mut graph, dependency);
                    graph.packages[at].dependencies.push((dependency.to_owned(), kind));
                    if kind == Kind::Shipped {
                        graph.packages[at].edges.push(to);
                    }
                }
            }
        }
        graph
    }

    /// The same graph with another licence or publishing state.
    pub(in crate::tidy) fn change(mut graph: Graph, name: &str, how: impl FnOnce(&mut Package)) -> Graph {
        let at = node(&mut graph, name);
        how(&mut graph.packages[at]);
        graph
    }

    fn node(graph: &mut Graph, name: &str) -> usize {
        if let Some(at) = graph.packages.iter().position(|package| package.name == name) {
            return at;
        }
        let ours = name == "xtask" || name.starts_with("keyless-");
        graph.packages.push(Package {
            name: name.to_owned(),
            folder: ours.then(|| format!("crates/{}", name.trim_start_matches("keyless-"))),
            publishable: !ours || name == "keyless-wire",
            licence: Some("Apache-2.0".to_owned()),
            ..Package::default()
        });
        graph.packages.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::draw::graph;

    #[test]
    fn reach_follows_shipped_edges_only() {
        let graph = graph("keyless-a -> b ~> c\n b -> d");
        assert_eq!(graph.reach("keyless-a").into_iter().collect::<Vec<_>>(), ["b", "d"]);
    }
}
