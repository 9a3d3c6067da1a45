//! `cargo xtask fuzz`: runs the targets of `fuzz/` for a while each, where cargo-fuzz is installed.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::{child, usage, workspace};

/// How long each target runs unless told otherwise.
const SECONDS: u64 = 60;

/// Runs every target, or the one named.
///
/// # Errors
/// When cargo-fuzz is missing, with the way to get it. A crash found by a target is an exit code, not an error.
pub(crate) fn command(arguments: &[String]) -> Result<ExitCode> {
    let mut seconds = SECONDS;
    let mut wanted = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seconds" => match rest.next().and_then(|text| text.parse().ok()) {
                Some(number) => seconds = number,
                None => return usage("--seconds takes a whole number"),
            },
            name if !name.starts_with('-') => wanted = Some(name.to_owned()),
            other => return usage(&format!("fuzz has no option `{other}`")),
        }
    }
    let root = workspace::root();
    let mut targets = targets(&root.join("fuzz"))?;
    if let Some(wanted) = wanted {
        if !targets.contains(&wanted) {
            return usage(&format!("no fuzz target `{wanted}`; there are {}", targets.join(", ")));
        }
        targets = vec![wanted];
    }
    if !cargo_fuzz(&root).arg("--version").output().is_ok_and(|output| output.status.success()) {
        bail!("cargo-fuzz is missing; install it with `cargo install cargo-fuzz --locked`");
    }
    let mut crashed = Vec::new();
    for target in targets {
        eprintln!("\n==> fuzz {target}, {seconds} s");
        // What the fuzzer finds goes to the first folder; the second holds the inputs that every run starts from.
        let [corpus, artifacts] = ["corpus", "artifacts"].map(|folder| root.join("fuzz").join(folder).join(&target));
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut command = cargo_fuzz(&root);
        command.env("KEYLESS_FUZZ_TARGET", &target);
        command.args(["run", "--features", "engine", "fuzz"]).arg(corpus).arg(root.join("fuzz/seeds").join(&target));
        command.args(["--", &format!("-max_total_time={seconds}"), "-rss_limit_mb=2048"]);
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        if !child::run(&mut command, |_| ())?.success() {
            crashed.push(target);
        }
    }
    if crashed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("failed: {}; the inputs are in fuzz/artifacts", crashed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// The sanitizers are unstable compiler options; the environment variable lets the stable compiler take them. They see nothing
/// across the borders that link-time optimisation removes.
fn cargo_fuzz(root: &Path) -> Command {
    let mut command = Command::new(workspace::CARGO);
    command.arg("fuzz").current_dir(root).env("RUSTC_BOOTSTRAP", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
    command
}

/// The targets that exist: each has a folder of seeds, which a test in `fuzz` holds.
fn targets(fuzz: &Path) -> Result<Vec<String>> {
    let folder = fuzz.join("seeds");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}
