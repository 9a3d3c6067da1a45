//! `cargo xtask test`: the one command that runs every check and ends with `N passed, N failed, N skipped`.

mod needs;
mod summary;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{child, usage, workspace};
use summary::Counts;

/// Which part of the suite to run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Rust,
    Interop,
    Quick,
}

/// One command of the suite.
struct Step {
    title: &'static str,
    command: Command,
    /// What to do when the command cannot even run.
    hint: &'static str,
    /// The command reports how many tests it ran; none at all is a failure, not a success.
    counts: bool,
    /// Later steps make no sense without this one.
    needed: bool,
}

/// Runs the suite and prints the total as the last line.
///
/// # Errors
/// Only when the workspace itself cannot be read; a failing step is counted and reported.
pub(crate) fn command(arguments: &[String]) -> Result<ExitCode> {
    let part = match arguments {
        [] => Part::All,
        [one] if one == "--rust" => Part::Rust,
        [one] if one == "--interop" => Part::Interop,
        [one] if one == "--quick" => Part::Quick,
        _ => return usage("test takes at most one of --rust, --interop, --quick"),
    };
    let mut total = Counts::default();
    let mut broken = needs::missing(part);
    if !broken.is_empty() {
        // All at once, and before anything that takes minutes.
        total.failed = broken.len() as u64;
        return Ok(close(&broken, total));
    }
    let root = workspace::root();
    let target = workspace::metadata(&root)?.target_directory.into_std_path_buf();
    for mut step in steps(part, &root, &target) {
        eprintln!("\n==> {}", step.title);
        let mut counts = Counts::default();
        let outcome = child::run(step.command.current_dir(&root), |line| counts.read(line));
        let problem = match outcome {
            Err(error) => Some(format!("{error:#}; {}", step.hint)),
            Ok(status) if !status.success() => Some(format!("{status}; {}", step.hint)),
            Ok(_) if counts.failed > 0 => Some("tests failed although the command exited 0".to_owned()),
            Ok(_) if step.counts && counts.passed == 0 => Some("it ran no test at all; a suite without tests proves nothing".to_owned()),
            Ok(_) => None,
        };
        if let Some(problem) = problem {
            // A step that broke without naming a failed test is itself the failure.
            counts.failed = counts.failed.max(1);
            broken.push(format!("{}: {problem}", step.title));
        }
        let stop = step.needed && counts.failed > 0;
        total.add(counts);
        if stop {
            broken.push("the steps after it were not run".to_owned());
            break;
        }
    }

    if total.skipped > 0 && in_ci() {
        broken.push(format!("{} tests were skipped; here every test runs, see the reasons above", total.skipped));
        total.failed += total.skipped;
    }
    Ok(close(&broken, total))
}

/// Says what is broken, then the total, alone on the last line.
fn close(broken: &[String], total: Counts) -> ExitCode {
    eprintln!();
    for line in broken {
        eprintln!("FAILED  {line}");
    }
    println!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether a machine of CI runs the suite, by the variable that all of them set.
#[expect(clippy::disallowed_methods, reason = "a developer's command, which has no configuration")]
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

fn steps(part: Part, root: &Path, target: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    if matches!(part, Part::All | Part::Rust) {
        steps.push(Step {
            title: "format",
            command: cargo(&["fmt", "--all", "--check"]),
            hint: "run `cargo fmt --all` (missing? `rustup component add rustfmt`)",
            counts: false,
            needed: false,
        });
        steps.push(Step {
            title: "lints",
            command: cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
            hint: "fix the warnings above (clippy missing? `rustup component add clippy`)",
            counts: false,
            needed: false,
        });
        // A feature of its own, so that nothing else is built with it.
        steps.push(Step {
            title: "lints of the fuzzer's program",
            command: cargo(&["clippy", "--package", "keyless-fuzz", "--bins", "--features", "program", "--", "-D", "warnings"]),
            hint: "fix the warnings above",
            counts: false,
            needed: false,
        });
    }
    steps.push(Step {
        title: "build",
        command: cargo(&["build", "--package", "keyless-cli", "--bin", "keyless"]),
        hint: "fix the compile errors above",
        counts: false,
        needed: true,
    });
    if part != Part::Interop {
        steps.push(workspace_tests());
    }
    if matches!(part, Part::All | Part::Rust) {
        steps.push(Step {
            title: "documentation examples",
            command: cargo(&["test", "--workspace", "--doc"]),
            hint: "fix the examples above",
            // Crates need no examples in their documentation; those that exist must hold.
            counts: false,
            needed: false,
        });
    }
    if matches!(part, Part::All | Part::Interop) {
        let mut command = Command::new("python3");
        command.arg(root.join("interop/run.py")).env("PYTHONUNBUFFERED", "1");
        command.env("KEYLESS_BIN", target.join("debug").join("keyless")).env("KEYLESS_INTEROP_TARGET", target.join("interop"));
        steps.push(Step {
            title: "official SDKs and az against a running system",
            command,
            hint: "read the first failure above",
            counts: true,
            needed: false,
        });
    }
    steps
}

/// The workspace's tests: under nextest when it is installed (faster, isolates each test), else under cargo.
fn workspace_tests() -> Step {
    let has_nextest = cargo(&["nextest", "--version"]).output().is_ok_and(|output| output.status.success());
    let arguments: &[&str] = if has_nextest {
        &["nextest", "run", "--workspace", "--no-fail-fast"]
    } else {
        &["test", "--workspace", "--all-targets", "--no-fail-fast"]
    };
    Step { title: "workspace tests", command: cargo(arguments), hint: "see the failures above", counts: true, needed: false }
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(workspace::CARGO);
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(part: Part) -> Vec<&'static str> {
        steps(part, Path::new("/r"), Path::new("/t")).into_iter().map(|step| step.title).collect()
    }

    #[test]
    fn everything_runs_every_step() {
        assert_eq!(titles(Part::All).len(), 7);
    }

    #[test]
    fn interop_still_builds_the_program_it_tests() {
        assert_eq!(titles(Part::Interop), ["build", "official SDKs and az against a running system"]);
    }

    #[test]
    fn quick_is_the_workspace_tests_only() {
        assert_eq!(titles(Part::Quick), ["build", "workspace tests"]);
    }

    #[test]
    fn unknown_options_are_a_usage_error() {
        let code = command(&["--all-of-it".to_owned()]).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
    }
}
