//! How long each of many answers took.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

/// Fewer answers than this say nothing of a 99th percentile.
const LEAST: usize = 100;

/// The spread of one evaluator's answers.
#[derive(Debug, Serialize)]
pub(crate) struct Timing {
    name: &'static str,
    asked: usize,
    p50_ns: u64,
    p99_ns: u64,
}

impl Timing {
    /// Asks the questions in order, until all are answered or the time is over. Reading the clock costs each some 20 ns.
    pub(crate) fn of<Q>(name: &'static str, seconds: u64, questions: &[Q], mut ask: impl FnMut(&Q) -> Result<()>) -> Result<Self> {
        let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
        let mut nanos = Vec::with_capacity(questions.len());
        for question in questions {
            if nanos.len() >= LEAST && start.elapsed() > limit {
                break;
            }
            let began = Instant::now();
            ask(std::hint::black_box(question))?;
            nanos.push(u64::try_from(began.elapsed().as_nanos())?);
        }
        nanos.sort_unstable();
        let at = |percent: usize| nanos[(nanos.len() - 1) * percent / 100];
        Ok(Self { name, asked: nanos.len(), p50_ns: at(50), p99_ns: at(99) })
    }
}
