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

use clap::Parser as _;

use crate::args::Cli;
use crate::ui::{Screen, bad, strong};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut screen = Screen::real();
    match commands::run(cli, &mut screen) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if !failure.quiet {
                screen.note(format_args!("{} {}", bad("error:"), failure.what));
                if let Some(next) = &failure.next {
                    screen.note(format_args!("{} {next}", strong("next:")));
                }
            }
            failure.exit.into()
        }
    }
}
