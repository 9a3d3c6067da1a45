//! Every setting, as the schema of the tree tells it.

use serde_json::Value;

use crate::flags::{FLAGS, Flag};
use crate::sections::Settings;

/// The settings, section by section, in the order of their names.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The schema (JSON Schema 2020-12) of `keyless.toml`.
    pub schema: Value,
    pub sections: Vec<Section>,
}

/// A table of the file; the first one is the file itself.
#[derive(Debug, Clone)]
pub struct Section {
    /// Such as `listen`, or `upstreams.*`; empty for the file itself.
    pub path: String,
    pub description: String,
    pub settings: Vec<Setting>,
}

/// One setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Such as `listen.https`; a star stands for a name that its owner chooses.
    pub path: String,
    pub description: String,
    pub kind: Kind,
    /// Null when it has none.
    pub default: Value,
    /// The section cannot be without it.
    pub required: bool,
}

/// What a setting is written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Text that is a file or a folder.
    Path,
    Number,
    Truth,
    List,
    /// One of these words, each with what it means.
    Choice(Vec<(String, String)>),
}

impl Setting {
    /// The environment variable that overrides the file.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(&self.path)
    }

    /// The flag of `keyless up` and `keyless serve` that overrides both, as it is written.
    #[must_use]
    pub fn flag(&self) -> Option<&'static Flag> {
        // Only the upstream called `default` can be named by flags.
        FLAGS.iter().find(|flag| flag.setting == self.path.replace('*', "default"))
    }
}

/// `KEYLESS_LISTEN_HTTPS` of `listen.https`.
pub(crate) fn variable(path: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '*' { c.to_ascii_uppercase() } else { '_' };
    format!("KEYLESS_{}", path.chars().map(word).collect::<String>())
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::new()
    }
}

impl Catalogue {
    #[must_use]
    pub fn new() -> Self {
        let mut schema = schemars::schema_for!(Settings).to_value();
        schema["title"] = "keyless.toml".into();
        let mut all = Self { sections: Vec::new(), schema: Value::Null };
        all.section(&schema, String::new(), &schema);
        all.schema = schema;
        all
    }

    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.sections.iter().flat_map(|section| &section.settings)
    }

    /// The setting at a path, in which an owner's name may stand for the star.
    #[must_use]
    pub fn setting(&self, path: &str) -> Option<&Setting> {
        self.settings().find(|setting| {
            let (mut pattern, mut names) = (setting.path.split('.'), path.split('.'));
            pattern.by_ref().zip(names.by_ref()).all(|(pattern, name)| pattern == "*" || pattern == name)
                && setting.path.split('.').count() == path.split('.').count()
        })
    }

    fn section(&mut self, root: &Value, path: String, schema: &Value) {
        let at = self.sections.len();
        self.sections.push(Section { path: path.clone(), description: described(schema), settings: Vec::new() });
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let inner = resolve(root, member);
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if inner["properties"].is_object() {
                self.section(root, path, inner);
            } else if inner["additionalProperties"].is_object() {
                self.section(root, format!("{path}.*"), resolve(root, &inner["additionalProperties"]));
            } else {
                let required = schema["required"].as_array().is_some_and(|names| names.contains(&name.as_str().into()));
                let (description, default) = (described(member), member["default"].clone());
                self.sections[at].settings.push(Setting { path, description, kind: kind(inner), default, required });
            }
        }
    }
}

fn described(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}

/// What a reference, or a value that may be absent, is about.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        return &root["$defs"][name];
    }
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    choices.filter(|choice| choice["type"] != "null").map(|choice| resolve(root, choice)).next().unwrap_or(schema)
}

fn kind(schema: &Value) -> Kind {
    let is = |name: &str| schema["type"] == name || schema["type"].as_array().is_some_and(|names| names.contains(&name.into()));
    if let Some(words) = schema["oneOf"].as_array() {
        let word = |choice: &Value| (choice["const"].as_str().unwrap_or_default().to_owned(), described(choice));
        return Kind::Choice(words.iter().map(word).collect());
    }
    match () {
        () if is("boolean") => Kind::Truth,
        () if is("integer") => Kind::Number,
        () if is("array") => Kind::List,
        () if schema["format"] == crate::value::FilePath::FORMAT => Kind::Path,
        () => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_section_and_setting_is_described_and_ends_without_a_full_stop_only_in_settings() {
        for section in Catalogue::new().sections {
            assert!(section.description.ends_with('.'), "[{}]: {}", section.path, section.description);
            for setting in section.settings {
                assert!(
                    !setting.description.is_empty() && !setting.description.ends_with('.'),
                    "{}: {}",
                    setting.path,
                    setting.description
                );
                assert!(
                    setting.required
                        || setting.default != Value::Null
                        || setting.description.contains("Without ")
                        || setting.kind == Kind::List
                        || setting.default.is_null(),
                    "{}",
                    setting.path
                );
            }
        }
    }

    #[test]
    fn no_two_settings_have_one_variable_and_every_flag_names_a_setting() {
        let all = Catalogue::new();
        let variables: HashSet<_> = all.settings().map(Setting::variable).collect();
        assert_eq!(variables.len(), all.settings().count());
        for flag in FLAGS {
            assert!(all.setting(flag.setting).is_some(), "--{} names no setting", flag.long);
        }
    }

    #[test]
    fn a_setting_is_found_by_its_path_and_under_the_owners_names() {
        let all = Catalogue::new();
        assert_eq!(all.setting("data").map(|found| found.kind.clone()), Some(Kind::Path));
        assert_eq!(all.setting("upstreams.mine.url").map(Setting::variable).as_deref(), Some("KEYLESS_UPSTREAMS_*_URL"));
        assert!(all.setting("listen").is_none() && all.setting("listen.nothing").is_none() && all.setting("listen.https.port").is_none());
    }
}
