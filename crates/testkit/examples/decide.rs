//! How long an access decision takes with 100,000 role assignments, and what one assignment costs in memory.
//!
//! `decide [ASSIGNMENTS]` prints one JSON object.

#![expect(clippy::print_stdout, reason = "prints its one result")]

#[path = "support/drawn.rs"]
mod drawn;

use std::time::Instant;

use anyhow::{Context as _, Result};
use drawn::{Drawn, Random};
use keyless_model::entity::Mutation;
use keyless_rbac::{Attributes, Effect, Policy, Request, builtin};

const DECISIONS: usize = 200_000;

fn main() -> Result<()> {
    let assignments: u64 = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let drawn = Drawn { assignments };
    let mut policy = Policy::default();
    builtin::roles().into_iter().for_each(|role| policy.apply(&Mutation::put(role)));
    drawn.principals().for_each(|principal| policy.apply(&Mutation::put(principal)));
    drawn.groups().for_each(|group| policy.apply(&Mutation::put(group)));

    let before = resident_bytes()?;
    for number in 0..assignments {
        policy.apply(&Mutation::put(drawn.assignment(number)));
    }
    let bytes_each = (resident_bytes()? - before) as f64 / assignments as f64;

    let mut random = Random(7);
    let mut nanos = Vec::with_capacity(DECISIONS);
    let mut allowed = 0_usize;
    for _ in 0..DECISIONS {
        let question = drawn.question(&mut random);
        let (action, plane) = (question.action, question.plane);
        let request = Request { principal: question.principal, action, plane, scope: &question.scope, attributes: Attributes::NONE };
        let began = Instant::now();
        let decision = std::hint::black_box(policy.decide(std::hint::black_box(&request)));
        nanos.push(began.elapsed().as_nanos());
        allowed += usize::from(decision.effect == Effect::Allow);
    }
    nanos.sort_unstable();
    let at = |share: f64| nanos[((nanos.len() - 1) as f64 * share) as usize];
    let report = serde_json::json!({
        "assignments": assignments,
        "holders": drawn.holders(),
        "decisions": DECISIONS,
        "allowed": allowed,
        "p50_ns": at(0.50) as u64,
        "p90_ns": at(0.90) as u64,
        "p99_ns": at(0.99) as u64,
        "p999_ns": at(0.999) as u64,
        "clock_ns": clock_cost(),
        "bytes_per_assignment": bytes_each,
    });
    println!("{report}");
    Ok(())
}

/// What reading the clock twice adds to each figure.
fn clock_cost() -> u64 {
    let mut nanos: Vec<_> = (0..10_000).map(|_| Instant::now().elapsed().as_nanos() as u64).collect();
    nanos.sort_unstable();
    nanos[nanos.len() / 2]
}

/// Resident memory of this process.
fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("the memory figure needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc/self/status")?;
    let kib: u64 = line.split_whitespace().next().context("no number after VmRSS")?.parse()?;
    Ok(kib * 1024)
}
