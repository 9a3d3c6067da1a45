//! The settings as flags: made from the table of flags and the settings' own descriptions.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use keyless_config::{Catalogue, FLAGS, Flag, Kind, Setting, Takes};

/// What says how a system shall be, apart from the environment.
#[derive(Debug, Args)]
pub(crate) struct SettingArgs {
    /// Read settings from this file [default: KEYLESS_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) flags: Flags,
}

/// Flags that were given, each with its values.
#[derive(Debug)]
pub(crate) struct Flags(pub(crate) Vec<(&'static Flag, Vec<String>)>);

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let catalogue = Catalogue::new();
        let known = FLAGS.iter().filter_map(|flag| Some((flag, catalogue.setting(flag.setting)?)));
        let command = known.fold(command, |command, (flag, setting)| command.arg(arg(flag, setting, &heading(&catalogue, setting))));
        let groups: std::collections::BTreeSet<_> = FLAGS.iter().filter_map(|flag| flag.group).collect();
        groups.into_iter().fold(command, |command, group| {
            let members = FLAGS.iter().filter(|flag| flag.group == Some(group)).map(|flag| flag.long);
            command.group(clap::ArgGroup::new(group).args(members))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let values = |flag: &Flag| match flag.takes {
            Takes::Value(_) | Takes::Values(_) => {
                matches.get_many::<String>(flag.long).map(|values| values.cloned().collect()).unwrap_or_default()
            }
            Takes::Nothing(_) => vec![String::new(); usize::from(matches.get_flag(flag.long))],
            Takes::Times(_) => vec![String::new(); matches.get_count(flag.long).into()],
        };
        Ok(Self(FLAGS.iter().map(|flag| (flag, values(flag))).filter(|(_, values)| !values.is_empty()).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn heading(catalogue: &Catalogue, setting: &Setting) -> String {
    let section = catalogue.sections.iter().find(|section| section.settings.iter().any(|one| one.path == setting.path));
    let described = section.map_or("", |section| section.description.as_str());
    described.split(['.', ':']).next().unwrap_or_default().to_owned()
}

fn arg(flag: &Flag, setting: &Setting, heading: &str) -> Arg {
    let mut help = setting.description.clone();
    if let (Kind::Choice(words), Takes::Nothing(meaning)) = (&setting.kind, flag.takes)
        && let Some((_, told)) = words.iter().find(|(word, _)| word == meaning)
    {
        help = format!("{help}: {}{}", told[..1].to_lowercase(), &told[1..]);
    } else if let (Kind::Text, Takes::Nothing(meaning)) = (&setting.kind, flag.takes) {
        help = format!("{}: `{meaning}`", help.split(". ").next().unwrap_or_default());
    } else if let Some(default) = setting.default.as_str() {
        help = format!("{help} [default: {default}]");
    }
    let arg = Arg::new(flag.long).long(flag.long).help(help).help_heading(heading.to_owned());
    let arg = match flag.short {
        Some(short) => arg.short(short),
        None => arg,
    };
    match flag.takes {
        Takes::Value(name) => arg.value_name(name),
        Takes::Values(name) => arg.value_name(name).action(ArgAction::Append),
        Takes::Nothing(_) => arg.action(ArgAction::SetTrue),
        Takes::Times(_) => arg.action(ArgAction::Count),
    }
}
