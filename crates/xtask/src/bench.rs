//! `cargo xtask bench`: builds release programs and hands them to the system benchmarks in `benches/system`.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::{child, usage, workspace};

const SUITES: &[&str] = &["gateway", "streaming", "metadata", "issuance", "decision", "coldstart", "memory", "revocation", "scale", "all"];

/// Runs the suites that are named, or all.
///
/// # Errors
/// When a build fails. A benchmark below target is not an error; one that could not be measured is.
pub(crate) fn command(arguments: &[String]) -> Result<ExitCode> {
    let (quick, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| *argument == "--quick");
    let mut suites: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    if suites.is_empty() {
        suites.push("all");
    }
    if let Some(unknown) = suites.iter().find(|name| !SUITES.contains(name)) {
        return usage(&format!("no benchmark `{unknown}`; there are {}", SUITES.join(", ")));
    }
    let root = workspace::root();
    let target = workspace::metadata(&root)?.target_directory.into_std_path_buf();

    let mut builds = vec![
        vec!["build", "--release", "--package", "keyless-cli", "--bin", "keyless"],
        vec!["build", "--release", "--package", "keyless-testkit", "--examples"],
    ];
    if suites.iter().any(|suite| matches!(*suite, "decision" | "all")) {
        let target = target.to_str().context("the target folder's path is not UTF-8")?;
        // A workspace of its own, so the folder has to be said. Its lock file may trail the dependencies of our own crates.
        builds.push(vec!["build", "--release", "--manifest-path", "benches/peers/Cargo.toml", "--target-dir", target]);
    }
    for arguments in builds {
        let status = child::run(Command::new(workspace::CARGO).args(arguments).current_dir(&root), |_| ())?;
        if !status.success() {
            bail!("the release build failed; fix the errors above");
        }
    }
    let mut command = Command::new("python3");
    command
        .arg(root.join("benches/system/run.py"))
        .args(&suites)
        .arg("--keyless")
        .arg(target.join("release/keyless"))
        .arg("--examples")
        .arg(target.join("release/examples"))
        .arg("--decisions")
        .arg(target.join("release/decisions"))
        .arg("--out")
        .arg(target.join("bench"))
        .current_dir(&root);
    if !quick.is_empty() {
        command.arg("--quick");
    }
    let status = child::run(&mut command, |_| ())?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
