//! `keyless config`: what the configuration says, before anything runs on it.

use std::path::{Path, PathBuf};

use keyless_config::{Catalogue, DATA, File, Given, Loaded, Purpose, reference};
use serde_json::json;

use super::{Context, say_json};
use crate::args::{Config, SettingArgs};
use crate::env_registry::KEYLESS_CONFIG;
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::ui::{faint, warn};

pub(super) fn config(context: &mut Context<'_>, args: &Config) -> Ending {
    match args {
        Config::Check(settings) => check(context, settings)?,
        Config::Show { json, up, settings } => show(context, settings, *json, if *up { Purpose::Up } else { Purpose::Serve })?,
        Config::Schema { markdown: true } => context.screen.write(reference())?,
        Config::Schema { markdown: false } => say_json(context, &Catalogue::new().schema)?,
    }
    Ok(Exit::Done)
}

fn check(context: &mut Context<'_>, settings: &SettingArgs) -> Result<(), Failure> {
    let loaded = load(context, settings, Purpose::Serve)?;
    tell_strangers(context, &loaded);
    context.screen.say("nothing is wrong")?;
    Ok(())
}

fn show(context: &mut Context<'_>, settings: &SettingArgs, json: bool, purpose: Purpose) -> Result<(), Failure> {
    let shown = load(context, settings, purpose)?.shown();
    if json {
        let rows: Vec<_> =
            shown.iter().map(|row| json!({ "setting": row.path, "value": row.value, "from": row.origin.to_string() })).collect();
        return say_json(context, &rows);
    }
    let mut section = "";
    for row in &shown {
        let (table, name) = row.path.rsplit_once('.').unwrap_or(("", &row.path));
        if table != section {
            context.screen.say(format_args!("\n[{table}]"))?;
            section = table;
        }
        // JSON's texts, numbers and lists are TOML's; what is not set is shown as a comment.
        let line = if row.value.is_null() { format!("# {name}") } else { format!("{name} = {}", row.value) };
        context.screen.say(format_args!("{line}  {}", faint(format!("# {}", row.origin))))?;
    }
    Ok(())
}

/// Names the variables that look like settings: a misspelt one would be passed over in silence. They are no mistakes: Kubernetes makes
/// some of that look by itself, for a service called `keyless-gateway`.
pub(super) fn tell_strangers(context: &mut Context<'_>, loaded: &Loaded) {
    for name in &loaded.strange_variables {
        context.screen.note(format_args!("{} no setting has the variable {name}; docs/configuration.md lists them", warn("note:")));
    }
}

/// The settings, with all that is wrong told at once.
///
/// # Errors
/// When anything is.
pub(super) fn load(context: &Context<'_>, settings: &SettingArgs, purpose: Purpose) -> Result<Loaded, Failure> {
    let named = settings.config.clone().or_else(|| context.environment.value(KEYLESS_CONFIG).map(PathBuf::from));
    let file = named.as_deref().map(read).transpose()?;
    let mut flags = settings.flags.0.clone();
    flags.extend(context.data.iter().map(|folder| (DATA, vec![folder.display().to_string()])));
    let given = Given { purpose, file, environment: context.environment.settings(), flags };
    let mut loaded = keyless_config::load(given);
    loaded.add(keyless_server::faults(&loaded.settings));
    if loaded.problems.is_empty() {
        return Ok(loaded);
    }
    let told: Vec<_> = loaded.problems.iter().map(ToString::to_string).collect();
    let what = match told.as_slice() {
        [one] => one.clone(),
        all => format!("{} things are wrong with the configuration:\n  {}", all.len(), all.join("\n  ")),
    };
    let usage = loaded.problems.iter().any(|problem| problem.usage);
    let failure = Failure::new(what, "correct that and try again; docs/configuration.md and `keyless up --help` say what can be set");
    Err(failure.ending(if usage { Exit::Usage } else { Exit::Failed }))
}

fn read(path: &Path) -> Result<File, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).explain(|| format!("{name} cannot be read"), "name another file with --config")?;
    Ok(File { name, folder: path.parent().map(Path::to_path_buf).unwrap_or_default(), text })
}
