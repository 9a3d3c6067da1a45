//! Reads a map field by field, strictly: what is not asked for is unknown, and every problem is told, not only the first.

use std::cell::RefCell;
use std::collections::BTreeMap;

use keyless_server::local::nearest;

use super::node::{Content, Entry, Node, Place, Problem};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) at: Place,
}

/// Where problems are collected.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(super) fn add(&self, at: &Place, what: impl Into<String>, next: impl Into<String>) {
        self.push(Problem::new(at, what, next));
    }

    pub(super) fn push(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// In the order of files and lines.
    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut all = self.0.into_inner();
        all.sort();
        all.dedup();
        all
    }
}

/// The fields of one map.
pub(super) struct Fields<'a> {
    /// What the map describes, such as "an account".
    what: &'static str,
    pub(super) at: Place,
    left: Vec<&'a Entry>,
    asked: Vec<&'static str>,
    problems: &'a Problems,
}

impl<'a> Fields<'a> {
    /// None, and a problem told, when the node is no map.
    pub(super) fn of(node: &'a Node, what: &'static str, problems: &'a Problems) -> Option<Self> {
        match &node.value {
            Content::Map(entries) => Some(Self { what, at: node.at.clone(), left: entries.iter().collect(), asked: Vec::new(), problems }),
            _ => {
                problems.add(&node.at, format!("{what} is a map of names and values"), "write `name: value` lines");
                None
            }
        }
    }

    fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.asked.push(name);
        let at = self.left.iter().position(|entry| entry.name == name)?;
        let node = &self.left.remove(at).value;
        // A name with nothing after it says nothing.
        (node.value != Content::Nothing).then_some(node)
    }

    fn wrong(&self, node: &Node, name: &str, expected: &str) {
        let next = match node.value {
            Content::Number(_) | Content::Truth(_) if expected == "text" => "put it in quotes".to_owned(),
            _ => format!("write {expected}"),
        };
        self.problems.add(&node.at, format!("`{name}` of {} must be {expected}", self.what), next);
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<Located<String>> {
        let node = self.take(name)?;
        match &node.value {
            Content::Text(text) if !text.trim().is_empty() => Some(Located { value: text.clone(), at: node.at.clone() }),
            _ => {
                self.wrong(node, name, "text");
                None
            }
        }
    }

    /// `example` is shown when it is missing.
    pub(super) fn required(&mut self, name: &'static str, example: &str) -> Option<Located<String>> {
        let there = self.left.iter().any(|entry| entry.name == name && entry.value.value != Content::Nothing);
        if !there {
            self.problems.add(&self.at, format!("{} needs `{name}`", self.what), format!("add it, such as `{name}: {example}`"));
        }
        self.text(name)
    }

    /// One of these words, in this spelling.
    pub(super) fn one_of(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(name)?;
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(&text.value)).copied();
        if found.is_none() {
            self.problems.add(&text.at, format!("`{name}` cannot be `{}`", text.value), format!("choose {}", words.join(" or ")));
        }
        found
    }

    pub(super) fn truth(&mut self, name: &'static str) -> Option<bool> {
        let node = self.take(name)?;
        match node.value {
            Content::Truth(truth) => Some(truth),
            _ => {
                self.wrong(node, name, "true or false");
                None
            }
        }
    }

    pub(super) fn number(&mut self, name: &'static str, most: i64) -> Option<i64> {
        let node = self.take(name)?;
        match node.value {
            Content::Number(number) if (1..=most).contains(&number) => Some(number),
            _ => {
                self.wrong(node, name, &format!("a number from 1 to {most}"));
                None
            }
        }
    }

    pub(super) fn list(&mut self, name: &'static str) -> Option<&'a [Node]> {
        let node = self.take(name)?;
        match &node.value {
            Content::List(items) => Some(items),
            _ => {
                self.wrong(node, name, "a list");
                None
            }
        }
    }

    /// A list with something in it; `example` is shown when there is none. What is no list has a problem of its own, and no second one.
    pub(super) fn filled_list(&mut self, name: &'static str, example: &str) -> &'a [Node] {
        let absent = !self.left.iter().any(|entry| entry.name == name && entry.value.value != Content::Nothing);
        let list = self.list(name);
        if absent || list.is_some_and(<[Node]>::is_empty) {
            self.problems.add(&self.at, format!("{} needs `{name}`", self.what), format!("add it, such as `{name}: {example}`"));
        }
        list.unwrap_or_default()
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<Located<String>>> {
        let items = self.list(name)?;
        Some(self.texts_of(name, items))
    }

    pub(super) fn texts_of(&self, name: &'static str, items: &[Node]) -> Vec<Located<String>> {
        let text = |node: &Node| match &node.value {
            Content::Text(text) => Some(Located { value: text.clone(), at: node.at.clone() }),
            _ => {
                self.wrong(node, name, "a list of texts");
                None
            }
        };
        items.iter().filter_map(text).collect()
    }

    pub(super) fn map(&mut self, name: &'static str, what: &'static str) -> Option<Fields<'a>> {
        let node = self.take(name)?;
        Fields::of(node, what, self.problems)
    }

    /// Names and texts of the writer's own choosing.
    pub(super) fn tags(&mut self) -> Option<BTreeMap<String, String>> {
        let node = self.take("tags")?;
        let Content::Map(entries) = &node.value else {
            self.wrong(node, "tags", "a map of names and texts");
            return None;
        };
        let tag = |entry: &Entry| match &entry.value.value {
            Content::Text(text) => Some((entry.name.clone(), text.clone())),
            _ => {
                self.wrong(&entry.value, &entry.name, "text");
                None
            }
        };
        Some(entries.iter().filter_map(tag).collect())
    }

    /// Tells of every field that nobody asked for.
    pub(super) fn done(self) {
        for entry in &self.left {
            let next = match nearest(&entry.name, self.asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{} has {}", self.what, self.asked.join(", ")),
            };
            self.problems.add(&entry.at, format!("unknown field `{}` in {}", entry.name, self.what), next);
        }
    }
}
