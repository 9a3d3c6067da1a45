//! Developers only: the one front door for tests, checks, benchmarks and fuzzing (`cargo xtask`).
//!
//! Knows the repository's rules and the tools that check them; knows nothing of what the product does.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers: its output is its purpose")]

mod bench;
mod child;
mod fuzz;
mod suite;
mod tidy;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  test [--rust | --interop | --quick]
                       everything: format, lints, build, workspace tests, then real SDKs and az
                       --rust     all but the SDKs      --interop  only the SDKs
                       --quick    only the workspace tests
  tidy                 the repository's rules: dependency directions, file sizes, licences, ...
  bench [SUITE...] [--quick]
                       system benchmarks, written to target/bench and docs/benchmarks.md; the suites are
                       gateway, streaming, metadata, issuance, decision, coldstart, memory, revocation, scale, all
  fuzz [TARGET] [--seconds N]
                       run the fuzz targets, 60 seconds each unless told

Example: cargo xtask test --quick
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let outcome = match arguments.first().map(String::as_str) {
        Some("test") => suite::command(rest),
        Some("tidy") => tidy::command(rest),
        Some("bench") => bench::command(rest),
        Some("fuzz") => fuzz::command(rest),
        None | Some("help" | "-h" | "--help") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => usage(&format!("no command `{other}`")),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

/// Exit code 2 and the help text: the caller asked for something that does not exist.
fn usage(problem: &str) -> anyhow::Result<ExitCode> {
    eprintln!("xtask: {problem}\n\n{HELP}");
    Ok(ExitCode::from(2))
}
