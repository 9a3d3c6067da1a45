//! What starts, shows and ends a whole system.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::help;
use super::settings::SettingArgs;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the show, without staying up (also when stdin is no terminal)
    #[arg(long)]
    pub(crate) once: bool,
    /// Keep the throw-away folder
    #[arg(long)]
    pub(crate) keep: bool,
    /// Skip the search for a model: use the built-in responder, which is no model
    #[arg(long)]
    pub(crate) built_in: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// While no person is administrator, print a link that makes one, once [default name: admin@ the tenant's domain]
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) invite: Option<String>,
    // What follows is said for one start: in a file it would switch the look off for good.
    /// Start although the state database is older than the audit log: the changes since are undone, and the log says so
    #[arg(long)]
    pub(crate) accept_older_state: bool,
    /// Start although the audit log is lost, cut or changed: what is left is kept aside, and the new log says so
    #[arg(long)]
    pub(crate) accept_lost_log: bool,
    /// End when standard input closes, so that whoever started this cannot leave it behind
    #[arg(long, hide = true)]
    pub(crate) until_stdin_closes: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}

/// What can be asked about a configuration without starting anything.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Tell everything that is wrong, each with its place and what to do; nothing is started
    #[command(after_long_help = help::CONFIG_CHECK_MORE)]
    Check(SettingArgs),
    /// Show every setting in force and where it comes from; secrets are in files, and are not read
    #[command(after_long_help = help::CONFIG_SHOW_MORE)]
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// The defaults of `keyless up` rather than those of `keyless serve`
        #[arg(long)]
        up: bool,
        #[command(flatten)]
        settings: SettingArgs,
    },
    /// Print the JSON schema of the file, which makes editors complete and check it
    #[command(after_long_help = help::CONFIG_SCHEMA_MORE)]
    Schema {
        /// Print the reference page in place of the schema
        #[arg(long)]
        markdown: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Print what the ready file holds
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Drill {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for every command into this folder [default: print the page of `keyless` itself]
    pub(crate) folder: Option<PathBuf>,
}
