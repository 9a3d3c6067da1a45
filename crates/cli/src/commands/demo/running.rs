//! The system that the demo runs: this same program as a child, on free ports, that cannot outlive its parent.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use keyless_server::local::api::Status;
use tokio::process::{Child, ChildStdin, Command};

use crate::client::System;
use crate::data_dir::DataDir;
use crate::failure::{Explain as _, Failure};
use crate::ui::{Screen, Stage, faint};

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Without downloads a start takes well under a second; a busy machine takes longer.
const START: Duration = Duration::from_secs(30);
/// With the small model's download.
const START_WITH_MODEL: Duration = Duration::from_secs(150);
const STOP: Duration = Duration::from_secs(10);

/// Where answers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A model server that answers on this machine.
    Found,
    SmolLm2,
    BuiltIn,
}

/// A running child.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    /// The child ends when this closes. Kept apart from it, because waiting for a child closes the input that it still holds.
    stdin: Option<ChildStdin>,
    system: System,
    pub(super) data: DataDir,
}

impl Running {
    /// Starts `keyless up` on a fresh data folder below `folder` and waits until it answers.
    pub(super) async fn start(folder: &Path, source: Source, stage: &Stage) -> Result<Self, Failure> {
        let data = folder.join(match source {
            Source::Found => "found",
            Source::SmolLm2 => "data",
            Source::BuiltIn => "built-in",
        });
        let (ready, log) = (data.with_extension("ready.json"), data.with_extension("log"));
        let again = "run `keyless demo --keep` and read the log in the folder it names";
        let output = || File::create(&log).explain(|| format!("the log {} cannot be made", log.display()), "free some disk space");
        let mut command = Command::new(own_path()?);
        command.arg("up").arg("--data").arg(&data).arg("--ready-file").arg(&ready);
        command.args(["--port", "0", "--metadata-port", "0", "--operations-port", "0", "--until-stdin-closes"]);
        match source {
            Source::Found => {}
            Source::SmolLm2 => _ = command.args(["--model", "smollm2"]),
            Source::BuiltIn => _ = command.arg("--built-in"),
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(output()?).kill_on_drop(true);
        // Ctrl-C is ours to handle: the child ends in order, when we are done with it.
        command.process_group(0);
        let mut child = command.spawn().explain(|| "the system cannot be started".to_owned(), again)?;

        let stdin = child.stdin.take();
        let patience = if source == Source::SmolLm2 { START_WITH_MODEL } else { START };
        let began = Instant::now();
        while !ready.exists() {
            let last = last_line(&log);
            if let Some(ended) = child.try_wait().explain(|| "the system cannot be waited for".to_owned(), again)? {
                return Err(Failure::new(format!("the system ended at once ({ended}): {last}"), again));
            }
            if began.elapsed() > patience {
                return Err(Failure::new(format!("the system was not ready after {} s: {last}", patience.as_secs()), again));
            }
            stage.busy_with(last.trim_start_matches("keyless:").trim());
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let data = DataDir::named(data);
        let system = System::find(data.clone()).await?;
        Ok(Self { child, stdin, system, data })
    }

    pub(super) const fn system(&self) -> &System {
        &self.system
    }

    pub(super) const fn status(&self) -> &Status {
        &self.system.status
    }

    /// Waits until it ends by itself, which it should not.
    pub(super) async fn ended(&mut self) {
        // Whatever the outcome, it is no longer there.
        _ = self.child.wait().await;
    }

    /// Asks it to end, and insists if it does not.
    pub(super) async fn stop(mut self, screen: &mut Screen) {
        drop(self.stdin.take());
        if tokio::time::timeout(STOP, self.child.wait()).await.is_err() {
            screen.note(faint(format_args!("the system did not end within {} s and was killed", STOP.as_secs())));
            // It may have ended this instant.
            _ = self.child.kill().await;
        }
    }
}

/// This program, to be started again.
pub(super) fn own_path() -> Result<PathBuf, Failure> {
    std::env::current_exe().explain(|| "this program's own file cannot be found".to_owned(), "run it by its full path")
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let plain = anstream::adapter::strip_str(&text).to_string();
    plain.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}
