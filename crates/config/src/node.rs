//! Values that know where they come from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use serde_path_to_error::Segment;

/// Where a value comes from, in the order in which each overrides the one before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Default,
    File {
        name: Arc<str>,
        line: usize,
        column: usize,
    },
    /// The variable's name.
    Environment(String),
    /// The flag, as it is written.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { name, line, column } => write!(out, "{name}:{line}:{column}"),
            Self::Environment(name) | Self::Flag(name) => out.write_str(name),
        }
    }
}

/// A value, or what holds values.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    Value(Value),
}

impl Node {
    pub(crate) const fn table(origin: Origin, entries: BTreeMap<String, Self>) -> Self {
        Self { origin, content: Content::Table(entries) }
    }

    pub(crate) const fn list(origin: Origin, items: Vec<Self>) -> Self {
        Self { origin, content: Content::List(items) }
    }

    pub(crate) const fn value(origin: Origin, value: Value) -> Self {
        Self { origin, content: Content::Value(value) }
    }

    pub(crate) fn json(&self) -> Value {
        match &self.content {
            Content::Table(entries) => entries.iter().map(|(name, node)| (name.clone(), node.json())).collect(),
            Content::List(items) => items.iter().map(Self::json).collect(),
            Content::Value(value) => value.clone(),
        }
    }

    pub(crate) const fn is_table(&self) -> bool {
        matches!(self.content, Content::Table(_))
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&String, &Self)> {
        let entries = if let Content::Table(entries) = &self.content { Some(entries) } else { None };
        entries.into_iter().flatten()
    }

    /// The node at a path such as `listen.https`.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, name| match &node.content {
            Content::Table(entries) => entries.get(name),
            _ => None,
        })
    }

    /// Puts a value at a path, in place of whatever is there.
    pub(crate) fn put(&mut self, path: &str, value: Self) {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        if !self.is_table() {
            *self = Self::table(value.origin.clone(), BTreeMap::new());
        }
        let Content::Table(entries) = &mut self.content else { return };
        match rest {
            None => _ = entries.insert(name.to_owned(), value),
            Some(rest) => {
                let origin = value.origin.clone();
                entries.entry(name.to_owned()).or_insert_with(|| Self::table(origin, BTreeMap::new())).put(rest, value);
            }
        }
    }

    /// Changes each value in place; `change` hears its path.
    pub(crate) fn each(&mut self, path: &str, change: &impl Fn(&str, &Origin, &mut Value)) {
        match &mut self.content {
            Content::Table(entries) => {
                for (name, node) in entries {
                    node.each(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, change);
                }
            }
            Content::List(_) => {}
            Content::Value(value) => change(path, &self.origin, value),
        }
    }

    /// Takes out what is at the place of a fault.
    pub(crate) fn take(&mut self, place: &[&Segment]) -> Option<Self> {
        let (first, rest) = place.split_first()?;
        match (&mut self.content, first) {
            (Content::Table(entries), Segment::Map { key }) if rest.is_empty() => entries.remove(key),
            (Content::Table(entries), Segment::Map { key }) => entries.get_mut(key)?.take(rest),
            (Content::List(items), Segment::Seq { index }) if rest.is_empty() => (*index < items.len()).then(|| items.remove(*index)),
            (Content::List(items), Segment::Seq { index }) => items.get_mut(*index)?.take(rest),
            _ => None,
        }
    }
}
