//! The Azure CLI as a program that is asked and told.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::process::{Output, Stdio};

use serde::de::DeserializeOwned;
use tokio::process::Command;

use crate::env_registry::AZURE_CORE_COLLECT_TELEMETRY;
use crate::failure::{Explain as _, Failure};

pub(super) const AZ: &str = "az";

/// `az` with the user's own settings folder.
pub(super) struct AzProgram {
    environment: BTreeMap<&'static str, OsString>,
}

impl AzProgram {
    pub(super) fn of_the_user(mut environment: BTreeMap<&'static str, OsString>) -> Self {
        environment.insert(AZURE_CORE_COLLECT_TELEMETRY.name, "false".into());
        Self { environment }
    }

    /// What a command prints.
    ///
    /// # Errors
    /// When az is missing, fails, or prints something else.
    pub(super) async fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T, Failure> {
        let mut command = self.command();
        command.args(words).args(["--output", "json", "--only-show-errors"]);
        let output = output(command, &format!("az {}", words.join(" "))).await?;
        serde_json::from_slice(&output.stdout).explain(
            || format!("what `az {}` prints cannot be understood", words.join(" ")),
            "compare `az version` with 2.91, which is known to work",
        )
    }

    /// Runs a command whose first word is `az`.
    ///
    /// # Errors
    /// When az is missing or fails.
    pub(super) async fn run(&self, words: &[String]) -> Result<(), Failure> {
        let mut command = self.command();
        command.args(words.iter().skip(1));
        output(command, &words.join(" ")).await.map(drop)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(AZ);
        command.envs(&self.environment);
        command
    }
}

/// Runs a command to its end without showing it.
///
/// # Errors
/// With the command's own last words.
pub(super) async fn output(mut command: Command, shown: &str) -> Result<Output, Failure> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.map_err(|error| cannot_start(&error))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().rev().find_map(|line| line.strip_prefix("ERROR: ")).or(said.lines().last()).unwrap_or("it did not say why");
    Err(Failure::new(
        format!("`{shown}` failed: {said}"),
        "see `keyless status` for the system's side, and run the command yourself with --debug",
    ))
}

fn cannot_start(error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::NotFound => not_installed(),
        _ => Failure::new(format!("`az` cannot be started: {error}"), "check that it is a program and may be executed"),
    }
}

pub(super) fn not_installed() -> Failure {
    let next = "install it (https://aka.ms/azure-cli, or `pipx install azure-cli`), or put it on PATH";
    Failure::new("the Azure CLI, `az`, is not installed", next)
}

/// The program's name for [`Command::new`].
pub(super) fn name() -> &'static OsStr {
    OsStr::new(AZ)
}
