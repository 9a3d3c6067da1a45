//! A file as a tree of values that know their lines, whichever language it was written in.

use std::fmt;
use std::rc::Rc;

mod toml;
mod yaml;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    file: Rc<str>,
    /// From 1.
    line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something that keeps a file from being applied, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    pub(super) at: Place,
    pub(super) what: String,
    pub(super) next: String,
}

impl Problem {
    pub(super) fn new(at: &Place, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { at: at.clone(), what: what.into(), next: next.into() }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Nothing,
    Truth(bool),
    Number(i64),
    Text(String),
    List(Vec<Node>),
    /// Names are unique.
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) value: Node,
}

/// How deep values may lie in each other; the format itself needs eight.
const MAX_DEPTH: usize = 32;

/// Reads a file by the language that its name's end says.
///
/// # Errors
/// When it is neither YAML nor TOML, or broken.
pub(super) fn read(name: &str, text: &str) -> Result<Node, Problem> {
    let file: Rc<str> = name.into();
    let end = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match end.as_str() {
        "yaml" | "yml" => yaml::read(&file, text),
        "toml" => toml::read(&file, text),
        _ => Err(Problem::new(&Place { file, line: 1 }, "the file's language is not known", "name it .yaml, .yml or .toml")),
    }
}

fn too_deep(at: &Place) -> Problem {
    Problem::new(at, "values lie too deep in each other", "no resource needs that; look at the indentation")
}

#[cfg(test)]
mod tests;
