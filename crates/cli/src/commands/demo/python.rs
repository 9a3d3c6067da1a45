//! The official Python clients in an environment of their own, made once and kept.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::failure::{Explain as _, Failure};

const REQUIREMENTS: &str = include_str!("../../../assets/demo-requirements.txt");
const PATIENCE: Duration = Duration::from_secs(170);

/// The Python of an environment that holds the clients.
///
/// # Errors
/// When there is no usable Python, or the packages cannot be installed.
pub(super) async fn prepare(cache: PathBuf) -> Result<PathBuf, Failure> {
    let version = run(Command::new("python3").args(["-c", "import sys; print(sys.version)"])).await;
    let version = version
        .map_err(|why| Failure::new(format!("Python cannot be run: {why}"), "install Python 3.11 or newer, with its `venv` module"))?;
    let folder = cache.join(format!("demo-python-{}", fingerprint(&version)));
    let python = folder.join("bin/python");
    if folder.join("complete").exists() {
        return Ok(python);
    }
    // Made aside and moved into place whole would break the paths inside; a half-made one is simply made again.
    let made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).await;
    made.map_err(|why| {
        Failure::new(format!("no Python environment can be made: {why}"), "install Python's venv module (Debian: apt install python3-venv)")
    })?;
    install(&folder, &python).await?;
    std::fs::write(folder.join("complete"), "").explain(|| format!("{} cannot be written", folder.display()), "free some disk space")?;
    Ok(python)
}

async fn install(folder: &Path, python: &Path) -> Result<(), Failure> {
    let file = folder.join("requirements.txt");
    std::fs::write(&file, REQUIREMENTS).explain(|| format!("{} cannot be written", file.display()), "free some disk space")?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "-r"];
    let installed = run(Command::new(python).args(pip).arg(&file)).await;
    installed.map(drop).map_err(|why| {
        Failure::new(format!("the clients cannot be installed from PyPI: {why}"), "check the network, or pip's own settings (proxy, index)")
    })
}

/// Runs to the end; what it printed, or why it failed, in its own last words.
async fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, output).await.map_err(|_| format!("it took longer than {} s", PATIENCE.as_secs()))?;
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it did not say why").trim().to_owned())
}

/// Changes with the pins and with Python, so that an old environment is never taken for a new one.
fn fingerprint(version: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (REQUIREMENTS, version).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
