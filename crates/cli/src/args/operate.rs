//! Operating the system with Azure's own tools and files.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::Shell;

/// What `az` calls this system unless told otherwise.
pub(crate) const DEFAULT_CLOUD: &str = "keyless";

#[derive(Debug, Args)]
pub(crate) struct Az {
    /// Do it, rather than print the commands; the variables for the shell are printed either way
    #[arg(long)]
    pub(crate) run: bool,
    /// The way back: sign out of this system's cloud, make the cloud from before active again, and unregister
    #[arg(long)]
    pub(crate) undo: bool,
    /// What `az` shall call this system
    #[arg(long, default_value = DEFAULT_CLOUD, value_name = "NAME", value_parser = cloud_name)]
    pub(crate) name: String,
    /// How to write the variables
    #[arg(long, default_value = "sh")]
    pub(crate) shell: Shell,
    /// Print JSON; the same as --shell json
    #[arg(long, conflicts_with = "shell")]
    pub(crate) json: bool,
    /// For a single command: who gives it [default: operator]
    #[arg(long = "as", value_name = "IDENTITY", requires = "command")]
    pub(crate) identity: Option<String>,
    /// A single az command, in a settings folder of its own
    #[arg(last = true, value_name = "AZ ARGUMENTS", conflicts_with_all = ["run", "undo", "json"])]
    pub(crate) command: Vec<OsString>,
}

/// A name that needs no quoting in any shell and none in az's settings, where it is the title of a section.
fn cloud_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && text.len() <= 64 && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err("use letters, digits, `.`, `_` and `-`, beginning with a letter or digit".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// YAML or TOML files that declare one set of resources; `-` reads YAML from standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Print what would change, and change nothing
    #[arg(long, visible_alias = "dry-run", conflicts_with = "yes")]
    pub(crate) plan: bool,
    /// Apply without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Delete what an earlier apply of this set created and the files no longer declare
    #[arg(long)]
    pub(crate) prune: bool,
    /// Who makes the changes [default: operator]
    #[arg(long = "as", value_name = "IDENTITY")]
    pub(crate) identity: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
