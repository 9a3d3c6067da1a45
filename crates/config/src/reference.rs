//! The reference page, from the schema.

use std::fmt::Write as _;

use crate::catalogue::{Catalogue, Kind, Setting};
use crate::flags::FLAGS;

const HEAD: &str = "\
# Configuration

<!-- Written by `keyless config schema --markdown`; change the settings' descriptions in crates/config/src/sections instead. -->

`keyless serve --config keyless.toml` and `keyless up --config keyless.toml` read one file, in TOML. A setting comes from its default, the
file, the environment or a flag; each overrides the one before. `keyless config check` tells every problem with its line, and
`keyless config show` which value is in force and where it comes from. [keyless.example.toml](keyless.example.toml) is a file to begin with.

The variable of a setting is `KEYLESS_`, its section and its name, such as `KEYLESS_LISTEN_HTTPS`; a list is written with commas. A variable
that is empty counts as unset. Times are written as `90s`, `30m`, `24h5m` or `2d`, sizes as `32MiB` or `50GB`. A relative path in the file
begins at the file's folder. Secrets stand in files of their own, never in this one.
";

/// `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for section in Catalogue::new().sections {
        let path = section.path.replace('*', "NAME");
        let title = if path.is_empty() { "The file itself".to_owned() } else { format!("`[{path}]`") };
        _ = write!(page, "\n## {title}\n\n{}\n\n| setting | default | what it does |\n|---|---|---|\n", section.description);
        for setting in &section.settings {
            _ = writeln!(page, "{}", row(setting));
        }
    }
    page
}

fn row(setting: &Setting) -> String {
    let name = setting.path.rsplit('.').next().unwrap_or_default();
    let default = match &setting.default {
        serde_json::Value::Null if setting.required => "needed".to_owned(),
        serde_json::Value::Null => "none".to_owned(),
        value => format!("`{value}`"),
    };
    let mut what = format!("{}.", setting.description);
    if let Kind::Choice(words) = &setting.kind {
        let words = words.iter().map(|(word, meaning)| format!("`{word}`: {meaning}"));
        _ = write!(what, " {}.", words.collect::<Vec<_>>().join("; "));
    }
    let flags: Vec<_> = FLAGS.iter().filter(|flag| flag.setting == setting.path).map(|flag| format!("`--{}`", flag.long)).collect();
    if !flags.is_empty() {
        _ = write!(what, " Flag: {}.", flags.join(", "));
    }
    format!("| `{name}` | {default} | {what} |")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_current() {
        let page = include_str!("../../../docs/configuration.md");
        assert!(
            page == reference(),
            "docs/configuration.md is not what the settings say; run `keyless config schema --markdown > docs/configuration.md`"
        );
    }
}
