//! One file per command. Each takes its arguments, does one thing, and returns how it ended.

mod apply;
mod audit;
mod az;
mod can_i;
mod completions;
mod config;
mod demo;
mod deployment;
mod drill;
mod env;
mod explain;
mod guest;
mod host;
mod identity;
mod keys;
mod loan;
mod man;
mod role;
mod run;
#[cfg(test)]
mod screens;
mod status;
mod token;
mod up;
mod user;
mod whoami;

use keyless_config::Purpose;

use crate::args::{Cli, Command};
use crate::data_dir::DataDir;
use crate::env_registry::Environment;
use crate::failure::{Ending, Explain as _};
use crate::machine::block_on;
use crate::ui::Screen;

/// What every command may ask for.
pub(crate) struct Context<'a> {
    pub(crate) screen: &'a mut Screen,
    pub(crate) environment: Environment,
    data: Option<std::path::PathBuf>,
}

impl Context<'_> {
    /// The data folder meant; commands that need none never ask.
    pub(crate) fn data(&self) -> Result<DataDir, crate::failure::Failure> {
        DataDir::choose(self.data.as_deref(), &self.environment)
    }
}

/// A report as JSON, on stdout.
fn say_json(context: &mut Context<'_>, report: &impl serde::Serialize) -> Result<(), crate::failure::Failure> {
    let text = serde_json::to_string_pretty(report).explain(|| "the report cannot be written".to_owned(), "report this")?;
    context.screen.say(text)?;
    Ok(())
}

pub(crate) fn run(cli: Cli, screen: &mut Screen) -> Ending {
    let mut context = Context { screen, environment: Environment::of_process(), data: cli.data };
    let context = &mut context;
    match cli.command {
        Command::Up(args) => up::up(context, &args, Purpose::Up),
        Command::Serve(args) => up::up(context, &args, Purpose::Serve),
        Command::Config(args) => config::config(context, &args),
        Command::Demo(args) => block_on(demo::demo(context, &args)),
        Command::Status(args) => block_on(status::status(context, &args)),
        Command::Run(args) => block_on(run::run(context, &args)),
        Command::Env(args) => block_on(env::env(context, &args)),
        Command::Token(args) => block_on(token::token(context, &args)),
        Command::Whoami(args) => block_on(whoami::whoami(context, &args)),
        Command::Audit(args) => block_on(audit::audit(context, &args)),
        Command::Drill(args) => block_on(drill::drill(context, &args)),
        Command::Host(args) => block_on(host::host(context, &args)),
        Command::Apply(args) => block_on(apply::apply(context, &args)),
        Command::Az(args) => block_on(az::az(context, &args)),
        Command::CanI(args) => block_on(can_i::can_i(context, &args)),
        Command::Explain(args) => block_on(explain::explain(context, &args)),
        Command::Identity(args) => block_on(identity::identity(context, &args)),
        Command::Deployment(args) => block_on(deployment::deployment(context, &args)),
        Command::Role(args) => block_on(role::role(context, &args)),
        Command::Keys(args) => block_on(keys::keys(context, &args)),
        Command::User(args) => block_on(user::user(context, &args)),
        Command::Guest(args) => block_on(guest::guest(context, &args)),
        Command::Man(args) => man::man(context, &args),
        Command::Completions(args) => completions::completions(context, &args),
    }
}
