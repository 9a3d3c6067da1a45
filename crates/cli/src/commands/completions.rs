//! `keyless completions`: a script for the user's shell.

use clap::CommandFactory as _;

use super::Context;
use crate::args::{Cli, Completions};
use crate::exit::Exit;
use crate::failure::Ending;

pub(super) fn completions(context: &mut Context<'_>, args: &Completions) -> Ending {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keyless", &mut script);
    context.screen.write(String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
