//! The command line: what can be asked, in words that `--help` shows. It decides nothing.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod access;
mod audit;
mod duration;
mod everyday;
mod help;
mod lend;
mod manage;
mod operate;
mod settings;
mod system;

pub(crate) use access::{CanI, Explain, Whoami};
pub(crate) use audit::{Audit, AuditFilter, Category, Export, ExportFormat, Outcome};
#[cfg(test)]
pub(crate) use duration::Moment;
pub(crate) use everyday::{Deployment, Grant, Identity, Role};
pub(crate) use lend::{CredentialName, Env, Run, Shell, Token};
pub(crate) use manage::{Guest, Host, Keys, User};
pub(crate) use operate::{Apply, Az, DEFAULT_CLOUD};
pub(crate) use settings::SettingArgs;
pub(crate) use system::{Completions, Config, Demo, Drill, Man, Status, Up};

/// Gives every program that calls an AI model an identity in place of an API key.
#[derive(Debug, Parser)]
#[command(name = "keyless", version, long_about = help::KEYLESS, after_help = help::EXIT_CODES, disable_help_subcommand = true)]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// The system's data folder [default: KEYLESS_DATA, else ~/.local/state/keyless]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See everything at once, in a throw-away folder
    #[command(long_about = help::DEMO, after_long_help = help::DEMO_MORE)]
    Demo(Demo),
    /// Run the system: authority, metadata, control plane and gateway in one process
    #[command(long_about = help::UP, after_long_help = help::UP_MORE)]
    Up(Box<Up>),
    /// Run the system for good, as its configuration says: what `up` runs, without anything to try
    #[command(long_about = help::SERVE, after_long_help = help::SERVE_MORE)]
    Serve(Box<Up>),
    /// Check or show the configuration, or print its schema
    #[command(subcommand, after_long_help = help::CONFIG_MORE)]
    Config(Config),
    /// Show the endpoints, identities and health of a running system
    #[command(long_about = help::STATUS, after_long_help = help::STATUS_MORE)]
    Status(Status),
    /// Run a program that has an identity and no key
    #[command(long_about = help::RUN, after_long_help = help::RUN_MORE)]
    Run(Run),
    /// Print the variables that give a shell an identity
    #[command(long_about = help::ENV, after_long_help = help::ENV_MORE)]
    Env(Env),
    /// Get a token; nothing is printed on a terminal unless asked
    #[command(long_about = help::TOKEN, after_long_help = help::TOKEN_MORE)]
    Token(Token),
    /// Show an identity, its roles, and what they allow at each account
    #[command(long_about = help::WHOAMI, after_long_help = help::WHOAMI_MORE)]
    Whoami(Whoami),
    /// Read and verify the record of who called what
    #[command(subcommand, long_about = help::AUDIT, after_long_help = help::AUDIT_MORE)]
    Audit(Audit),
    /// Leak drill: what a stolen key does, and what a stolen client id does
    #[command(long_about = help::DRILL, after_long_help = help::DRILL_MORE)]
    Drill(Drill),
    /// Attach identities to this machine, for programs that ask its metadata endpoint
    #[command(subcommand, long_about = help::HOST, after_long_help = help::HOST_MORE)]
    Host(Host),
    /// Make the system as files declare it: resources, identities, roles
    #[command(long_about = help::APPLY, after_long_help = help::APPLY_MORE)]
    Apply(Apply),
    /// Make this system a cloud of the real Azure CLI, or give one `az` command to it
    #[command(long_about = help::AZ, after_long_help = help::AZ_MORE)]
    Az(Az),
    /// Ask whether a principal may do something, and which role would allow it
    #[command(after_long_help = help::CAN_I_MORE)]
    CanI(CanI),
    /// Explain why one request was allowed or refused
    #[command(after_long_help = help::EXPLAIN_MORE)]
    Explain(Explain),
    /// List, show, make and remove identities for programs
    #[command(subcommand, after_long_help = help::IDENTITY_MORE)]
    Identity(Identity),
    /// List, show, make and remove deployments of models
    #[command(subcommand, after_long_help = help::DEPLOYMENT_MORE)]
    Deployment(Deployment),
    /// List, show, give and take away roles
    #[command(subcommand, after_long_help = help::ROLE_MORE)]
    Role(Role),
    /// List, rotate and revoke the keys that sign tokens
    #[command(subcommand, after_long_help = help::KEYS_MORE)]
    Keys(Keys),
    /// Add or invite people who sign in, and sign them out
    #[command(subcommand, after_long_help = help::USER_MORE)]
    User(User),
    /// Let principals of your Entra tenant in by the tokens that they have
    #[command(subcommand, long_about = help::GUEST, after_long_help = help::GUEST_MORE)]
    Guest(Guest),
    /// Print a completion script for a shell
    #[command(long_about = help::COMPLETIONS, after_long_help = help::COMPLETIONS_MORE)]
    Completions(Completions),
    /// Print or write manual pages
    #[command(long_about = help::MAN, after_long_help = help::MAN_MORE)]
    Man(Man),
}

#[cfg(test)]
mod tests;
