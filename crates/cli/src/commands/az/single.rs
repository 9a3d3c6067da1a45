//! `keyless az -- ARGUMENTS`: one az command as an identity of this system. az gets a settings folder of its own in the data
//! folder, signed in once and used again, so that the user's own settings are neither needed nor touched. What that folder holds
//! opens nothing: az asks for a token in every command, and gets one only while this command lends it the identity.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use keyless_server::local::api::IdentityStatus;
use tokio::process::Command;

use super::program;
use crate::args::DEFAULT_CLOUD;
use crate::client::{OPERATOR, System};
use crate::commands::Context;
use crate::commands::run::{Lending, Signals, Wish};
use crate::env_registry::{AZURE_CONFIG_DIR, AZURE_CORE_COLLECT_TELEMETRY};
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::ui::Stage;

/// The file whose content says what the folder was made for.
const STAMP: &str = "made-for";

pub(super) async fn single(context: &mut Context<'_>, identity: Option<&str>, arguments: &[OsString]) -> Ending {
    let system = System::find(context.data()?).await?;
    let identity = system.identity(Some(identity.unwrap_or(OPERATOR)))?.clone();
    let wish = Wish { identity: &identity.client_id, account: None, program: program::name(), keep: &[] };
    let lending = Lending::begin(context, &system, &wish).await?;
    let settings = Settings::of(&system, &identity);
    settings.prepare(context, &lending).await?;
    let mut command = settings.command(&lending);
    command.args(arguments);
    let signals = Signals::watch()?;
    lending.run(context, command, signals).await.map_err(|failure| match failure.exit {
        Exit::NotFound => program::not_installed().ending(Exit::NotFound),
        _ => failure,
    })
}

/// A settings folder of az, for one identity of one system.
struct Settings<'a> {
    folder: PathBuf,
    system: &'a System,
    stamp: String,
}

impl<'a> Settings<'a> {
    fn of(system: &'a System, identity: &IdentityStatus) -> Self {
        let status = &system.status;
        // Whatever the folder's sign-in depends on: when any of it changes, it is made anew.
        let stamp = [&status.control, &status.tenant_id, &status.subscription_id, &identity.client_id].map(String::as_str).join("\n");
        Self { folder: system.data.path.join("az").join(&identity.principal_id), system, stamp }
    }

    fn command(&self, lending: &Lending) -> Command {
        let mut command = lending.command(program::name());
        command.env(AZURE_CONFIG_DIR.name, &self.folder).env(AZURE_CORE_COLLECT_TELEMETRY.name, "false");
        command
    }

    /// Registers and signs in, unless an earlier command did.
    async fn prepare(&self, context: &mut Context<'_>, lending: &Lending) -> Result<(), Failure> {
        let _only_one = self.lock().explain(|| "az cannot be prepared".to_owned(), "check who owns the data folder")?;
        if fs::read_to_string(self.folder.join(STAMP)).is_ok_and(|stamp| stamp == self.stamp) {
            return Ok(());
        }
        let stage = Stage::begin(context.screen, "az, for its first command here");
        let prepared = self.make(lending, &stage).await;
        match &prepared {
            Ok(()) => stage.done(context.screen, "signed in"),
            Err(_) => stage.failed(context.screen, ""),
        }
        prepared
    }

    async fn make(&self, lending: &Lending, stage: &Stage) -> Result<(), Failure> {
        let full = "free some disk space and try again";
        emptied(&self.folder).explain(|| format!("{} cannot be made", self.folder.display()), full)?;
        let steps: [&[&str]; 3] = [
            &["cloud", "register", "-n", DEFAULT_CLOUD, "--endpoint-resource-manager", &self.system.status.control],
            &["cloud", "set", "-n", DEFAULT_CLOUD],
            &["login", "--identity", "--client-id", lending.client_id(), "--allow-no-subscriptions"],
        ];
        for words in steps {
            let shown = format!("az {}", words.join(" "));
            stage.busy_with(&shown);
            let mut command = self.command(lending);
            command.args(words);
            program::output(command, &shown).await?;
        }
        fs::write(self.folder.join(STAMP), &self.stamp).explain(|| format!("{} cannot be written", self.folder.display()), full)
    }

    /// Held while the folder is made. The file stays: it is the lock, not the fact of being locked.
    fn lock(&self) -> io::Result<File> {
        let folder = self.folder.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let file = File::create(folder.join("lock"))?;
        file.lock()?;
        Ok(file)
    }
}

fn emptied(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::DirBuilder::new().mode(0o700).create(folder)
}
