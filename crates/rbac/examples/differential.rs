//! Asks the evaluator and a naive one the same random questions and prints where they differ.
//!
//! `cargo run -p keyless-rbac --release --example differential [QUESTIONS] [SEED]`; a million questions with seed 1 by default.

#[path = "../tests/support/differ.rs"]
mod differ;
#[path = "../tests/support/naive.rs"]
mod naive;
#[path = "../tests/support/universe.rs"]
mod universe;

use std::process::ExitCode;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Ok(questions), Ok(seed)) = (arguments.next().unwrap_or(Ok(1_000_000)), arguments.next().unwrap_or(Ok(1))) else {
        eprintln!("usage: differential [QUESTIONS] [SEED]");
        return ExitCode::from(2);
    };
    let tally = differ::run(seed, usize::try_from(questions).unwrap_or(usize::MAX));
    println!("{} questions, seed {seed}, {} differences", tally.questions, tally.differences.len());
    for (verdict, count) in &tally.verdicts {
        println!("{count:>9}  {verdict}");
    }
    for difference in tally.differences.iter().take(10) {
        println!("{difference}");
    }
    if tally.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
