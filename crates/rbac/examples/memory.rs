//! Loads a large directory and prints what each assignment costs in memory, everything included: indexes, scopes, principals.
//!
//! `cargo run -p keyless-rbac --release --example memory [ASSIGNMENTS]`; Linux only, because it reads `/proc/self/statm`.

#[path = "../tests/support/directory.rs"]
mod directory;

use std::process::ExitCode;
use std::time::Instant;

use directory::{Spread, load};

/// Resident bytes of this process.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]
fn main() -> ExitCode {
    let count = std::env::args().nth(1).map_or(Ok(100_000), |argument| argument.parse());
    let Ok(count @ 1..) = count else {
        eprintln!("usage: memory [ASSIGNMENTS]");
        return ExitCode::from(2);
    };
    // Both stay alive, so that the second does not reuse what the first gave back.
    let mut kept = Vec::new();
    for spread in [Spread::Usual, Spread::OneEach] {
        let (Some(before), start) = (resident(), Instant::now()) else {
            eprintln!("/proc/self/statm cannot be read");
            return ExitCode::FAILURE;
        };
        let policy = load(count, spread);
        let took = start.elapsed();
        let grown = resident().unwrap_or(before).saturating_sub(before);
        println!("{spread:?}: {count} assignments, {} bytes each, loaded in {took:.2?}", grown / count);
        kept.push(policy);
    }
    assert!(kept.iter().all(|policy| policy.assignment_count() == count), "every assignment is held");
    ExitCode::SUCCESS
}
