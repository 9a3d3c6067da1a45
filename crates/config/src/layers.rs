//! One rule of override: default, then the file, then the environment, then flags. What cannot be read is told, and its default stands
//! in for the rest of the look.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use serde_path_to_error::Segment;

use crate::catalogue::{Catalogue, Kind, Setting, variable};
use crate::check;
use crate::flags::{Flag, Takes};
use crate::node::{Node, Origin};
use crate::problem::{Fault, Problem};
use crate::sections::Settings;
use crate::toml_file;

/// What starts, where the defaults differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `keyless up`: something to try at once.
    Up,
    /// `keyless serve`.
    Serve,
}

/// A configuration file that was read.
#[derive(Debug, Clone)]
pub struct File {
    /// As people named it.
    pub name: String,
    /// Where the relative paths in it begin.
    pub folder: PathBuf,
    pub text: String,
}

/// All that says how the system shall be.
#[derive(Debug, Clone)]
pub struct Given {
    pub purpose: Purpose,
    pub file: Option<File>,
    /// The environment's variables; those that are no settings are passed over.
    pub environment: Vec<(String, String)>,
    /// The flags that were given, each with its values; for one that takes none, one empty value each time.
    pub flags: Vec<(&'static Flag, Vec<String>)>,
}

/// The settings, and what is wrong with them.
#[derive(Debug)]
pub struct Loaded {
    /// With defaults in place of what cannot be read.
    pub settings: Settings,
    /// In the order of the file, then of variables and flags.
    pub problems: Vec<Problem>,
    /// Variables that look like settings and are none.
    pub strange_variables: Vec<String>,
    catalogue: Catalogue,
    given: Node,
    unread: Vec<String>,
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub path: String,
    pub value: Value,
    pub origin: Origin,
}

/// Reads everything and checks what can be checked without looking at anything else.
#[must_use]
pub fn load(given: Given) -> Loaded {
    let catalogue = Catalogue::new();
    let (mut tree, mut problems) = match &given.file {
        Some(file) => toml_file::read(&file.name, &file.text),
        None => (Node::table(Origin::Default, BTreeMap::new()), Vec::new()),
    };
    if let Some(file) = &given.file {
        tree.each("", &|path, _, value| {
            if let (Some(Kind::Path), Some(text)) = (catalogue.setting(path).map(|setting| &setting.kind), value.as_str()) {
                *value = file.folder.join(text).to_string_lossy().into();
            }
        });
    }
    if given.purpose == Purpose::Up && tree.at("first_start").is_none() {
        tree.put("first_start", Node::value(Origin::Default, "demo".into()));
    }
    let mut strange_variables = Vec::new();
    for (name, text) in given.environment.iter().filter(|(name, text)| name.starts_with("KEYLESS_") && !text.is_empty()) {
        match named(&catalogue, &tree, name) {
            Some((path, setting)) => tree.put(&path, read_text(setting, Origin::Environment(name.clone()), text)),
            None if catalogue.sections.iter().any(|section| looks_like(name, &section.path)) => strange_variables.push(name.clone()),
            None => {}
        }
    }
    for (flag, values) in &given.flags {
        if let Some(setting) = catalogue.setting(flag.setting) {
            tree.put(flag.setting, read_flag(setting, flag, values));
        }
    }
    let (settings, unread) = typed(tree.clone(), &catalogue, &mut problems);
    let mut loaded = Loaded { settings, problems, strange_variables, catalogue, given: tree, unread };
    loaded.push(check::faults(&loaded.settings), true);
    loaded
}

impl Loaded {
    /// Adds what this machine makes wrong. A fault about a setting that could not be read is left out: it may come from that alone.
    pub fn add(&mut self, faults: Vec<Fault>) {
        self.push(faults, false);
    }

    fn push(&mut self, faults: Vec<Fault>, usage: bool) {
        for fault in faults {
            let spoiled = |setting: &String| self.unread.iter().any(|unread| within(unread, setting) || within(setting, unread));
            let Some(first) = fault.settings.first().filter(|_| !fault.settings.iter().any(spoiled)) else { continue };
            self.problems.push(Problem { origin: self.origin(first), setting: first.clone(), what: fault.what, usage });
        }
        self.problems.sort_by(|a, b| a.origin.cmp(&b.origin));
    }

    /// Where a setting, or the nearest section around it that is there, comes from.
    #[must_use]
    pub fn origin(&self, path: &str) -> Origin {
        let mut path = path;
        loop {
            if let Some(node) = self.given.at(path) {
                return node.origin.clone();
            }
            match path.rsplit_once('.') {
                Some((above, _)) => path = above,
                None => return Origin::Default,
            }
        }
    }

    /// Every setting in force. No secret is among them: secrets are in files that settings name.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let tree = serde_json::to_value(&self.settings).unwrap_or_default();
        let mut shown = Vec::new();
        for section in &self.catalogue.sections {
            for path in instances(&tree, &section.path) {
                for setting in &section.settings {
                    let name = setting.path.rsplit('.').next().unwrap_or_default();
                    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                    let value = path.split('.').try_fold(&tree, |value, name| value.get(name)).cloned();
                    let origin = self.given.at(&path).map_or(Origin::Default, |node| node.origin.clone());
                    if let Some(value) = value {
                        shown.push(Shown { path, value, origin });
                    }
                }
            }
        }
        shown
    }
}

fn within(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The sections that a pattern such as `upstreams.*` stands for.
fn instances(tree: &Value, pattern: &str) -> Vec<String> {
    match pattern.strip_suffix(".*") {
        Some(map) => tree[map].as_object().into_iter().flatten().map(|(name, _)| format!("{map}.{name}")).collect(),
        None => vec![pattern.to_owned()],
    }
}

/// Whether a variable begins like the settings of a section.
fn looks_like(name: &str, section: &str) -> bool {
    !section.is_empty() && name.starts_with(&format!("{}_", variable(section.trim_end_matches(".*"))))
}

/// The setting that a variable names, and its path.
fn named<'a>(catalogue: &'a Catalogue, tree: &Node, name: &str) -> Option<(String, &'a Setting)> {
    catalogue.settings().find_map(|setting| {
        let pattern = setting.variable();
        let Some((before, after)) = pattern.split_once('*') else { return (pattern == name).then(|| (setting.path.clone(), setting)) };
        let own = name.strip_prefix(before)?.strip_suffix(after).filter(|own| !own.is_empty())?;
        // A name of the file that is written so in variables, else a new one.
        let (map, _) = setting.path.split_once(".*")?;
        let known = tree.at(map).into_iter().flat_map(Node::entries).find(|(known, _)| variable(known) == variable(own));
        let chosen = known.map_or_else(|| own.to_ascii_lowercase(), |(known, _)| known.clone());
        Some((setting.path.replace('*', &chosen), setting))
    })
}

/// Text as a value of the kind that the setting wants; what cannot be one stays text, and is complained about later.
fn read_text(setting: &Setting, origin: Origin, text: &str) -> Node {
    let value = match setting.kind {
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let items = items.map(|item| Node::value(origin.clone(), item.into())).collect();
            return Node::list(origin, items);
        }
        Kind::Number => text.parse::<u64>().ok().map(Value::from),
        Kind::Truth => text.parse::<bool>().ok().map(Value::from),
        Kind::Text | Kind::Path | Kind::Choice(_) => None,
    };
    Node::value(origin, value.unwrap_or_else(|| text.into()))
}

fn read_flag(setting: &Setting, flag: &Flag, values: &[String]) -> Node {
    let origin = Origin::Flag(format!("--{}", flag.long));
    match flag.takes {
        // A value may hold a comma, where flags are repeated.
        Takes::Values(_) => {
            let items = values.iter().map(|value| Node::value(origin.clone(), value.as_str().into())).collect();
            Node::list(origin, items)
        }
        Takes::Value(_) => read_text(setting, origin, values.last().map_or("", String::as_str)),
        Takes::Nothing(meaning) => read_text(setting, origin, meaning),
        Takes::Times(meanings) => {
            let meaning = meanings.get(values.len().saturating_sub(1)).or(meanings.last());
            read_text(setting, origin, meaning.copied().unwrap_or_default())
        }
    }
}

/// The typed tree. What cannot be read is taken out, told, and the rest read again.
fn typed(mut tree: Node, catalogue: &Catalogue, problems: &mut Vec<Problem>) -> (Settings, Vec<String>) {
    let mut unread = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize(tree.json()) {
            Ok(settings) => return (settings, unread),
            Err(error) => error,
        };
        let place: Vec<&Segment> = error.path().iter().collect();
        let path = place.iter().filter_map(|segment| if let Segment::Map { key } = segment { Some(key.as_str()) } else { None });
        let setting = path.collect::<Vec<_>>().join(".");
        let Some(node) = tree.take(&place) else {
            // Only a fault of ours leads here; nothing is started on what was not understood.
            problems.push(Problem { origin: Origin::Default, setting, what: error.to_string(), usage: true });
            return (Settings::default(), vec![String::new()]);
        };
        let error = error.inner().to_string();
        // What a section is missing may be the very thing that could not be read.
        let follows = error.starts_with("missing field") && unread.iter().any(|unread| within(&setting, unread));
        if !follows {
            let what = told(&error, catalogue, &setting);
            problems.push(Problem { origin: node.origin, setting: setting.clone(), what, usage: true });
        }
        unread.push(setting);
    }
}

/// One sentence on what is wrong and what to do, in the words of the file rather than of the type.
fn told(error: &str, catalogue: &Catalogue, path: &str) -> String {
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
    if error.starts_with("unknown field") {
        let pattern = |found: &str| found == section || found.strip_suffix(".*").is_some_and(|map| section.starts_with(&format!("{map}.")));
        let here = catalogue.sections.iter().filter(|known| pattern(&known.path)).flat_map(|known| &known.settings);
        let mut names: Vec<&str> = here.filter_map(|setting| setting.path.rsplit('.').next()).collect();
        if section.is_empty() {
            names.extend(catalogue.sections.iter().map(|known| known.path.trim_end_matches(".*")).filter(|path| !path.is_empty()));
        }
        let nearest = names.iter().map(|known| (distance(name, known), *known)).min().filter(|(steps, _)| *steps <= 3);
        // A secret written into the file is looked for by the name of its file.
        let nearest = names.iter().find(|known| **known == format!("{name}_file")).copied().or(nearest.map(|(_, known)| known));
        return match nearest {
            Some(known) => format!("there is no such setting; did you mean `{known}`?"),
            None => format!("there is no such setting; here one of these can stand: {}", names.join(", ")),
        };
    }
    if let Some(missing) = error.strip_prefix("missing field ") {
        return format!("{missing} is missing; add it");
    }
    if let Some((variant, words)) = error.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected ")) {
        return format!("{variant} is not known; write {}", words.trim_start_matches("one of "));
    }
    if !error.starts_with("invalid ") {
        let told = error.contains("; ");
        return if told { error.to_owned() } else { format!("{error}; write it as docs/configuration.md says") };
    }
    // SECURITY: the value is not repeated: somebody may have written a secret where its file belongs.
    let wanted = match catalogue.setting(path).map(|setting| &setting.kind) {
        Some(Kind::Truth) => "true or false".to_owned(),
        Some(Kind::Number) => error.rsplit_once("expected ").map_or("a number", |(_, number)| whole(number)).to_owned(),
        Some(Kind::List) => "a list of texts, such as [\"a\", \"b\"]".to_owned(),
        Some(Kind::Choice(words)) => words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
        Some(Kind::Text | Kind::Path) => match error.rsplit_once("expected ") {
            Some((_, wanted)) if wanted.contains("such as") || wanted.contains("path") => wanted.to_owned(),
            _ => "text in quotes".to_owned(),
        },
        None => format!("a table, [{path}]"),
    };
    format!("the value does not fit; write {wanted}")
}

const fn whole(number: &str) -> &str {
    match number.as_bytes() {
        [b'a', b' ', b'n', b'o', b'n', ..] => "a whole number of at least 1, and no larger than can be meant",
        _ => "a whole number, and no larger than can be meant",
    }
}

/// How many letters must be changed, added or left out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let next = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
