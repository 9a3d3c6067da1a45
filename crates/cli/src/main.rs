//! The keyless command. One file per subcommand in `commands`; exit codes in `exit`; what is read from the environment in
//! `env_registry`. It knows the system's sockets and wire, and nothing of its inside.

mod args;
mod ca_bundle;
mod child_env;
mod client;
mod commands;
mod data_dir;
mod env_registry;
mod exit;
mod failure;
#[cfg(test)]
mod fake;
mod machine;
mod shell;
mod ui;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use crate::args::Cli;
use crate::failure::Failure;
use crate::ui::{Screen, bad, strong};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut screen = Screen::real();
    match commands::run(cli, &mut screen) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if !failure.quiet {
                tell(&mut screen, &failure, wants_json(&matches));
            }
            failure.exit.into()
        }
    }
}

/// Whether the command that was called, however deep below, was given `--json`.
fn wants_json(matches: &ArgMatches) -> bool {
    let here = matches!(matches.try_get_one("json"), Ok(Some(true)));
    here || matches.subcommand().is_some_and(|(_, below)| wants_json(below))
}

/// On stderr, for people; or as one line of JSON for a program that asked for that.
fn tell(screen: &mut Screen, failure: &Failure, json: bool) {
    if json {
        return screen.note(serde_json::json!({ "error": failure.what, "next": failure.next }));
    }
    screen.note(format_args!("{} {}", bad("error:"), failure.what));
    if let Some(next) = &failure.next {
        screen.note(format_args!("{} {next}", strong("next:")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::captured;

    #[test]
    fn an_error_is_json_for_whoever_asked_for_json() {
        let failure = Failure::new("it is \"gone\"", "look");
        for (words, told) in [
            (vec!["keyless", "user", "list", "--json"], "{\"error\":\"it is \\\"gone\\\"\",\"next\":\"look\"}\n"),
            (vec!["keyless", "apply", "--json", "a.yaml"], "{\"error\":\"it is \\\"gone\\\"\",\"next\":\"look\"}\n"),
            (vec!["keyless", "user", "list"], "error: it is \"gone\"\nnext: look\n"),
            (vec!["keyless", "up"], "error: it is \"gone\"\nnext: look\n"),
        ] {
            let matches = Cli::command().get_matches_from(&words);
            let (mut screen, _, err) = captured::screen();
            tell(&mut screen, &failure, wants_json(&matches));
            assert_eq!(err.text(), told, "{words:?}");
        }
    }
}
