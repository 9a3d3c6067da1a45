//! Developers only: what must hold for any input, one function per reader of untrusted text.
//!
//! It knows nothing of the fuzzer. `src/bin/fuzz.rs` hands it the fuzzer's inputs; `tests/replay.rs`, which is part of the
//! suite, hands it the seeds, on the stable compiler and without tools.

mod arm_id;
mod audit_line;
mod condition;
mod entity;
mod events;
mod form;
mod imds_query;
mod prompt;
mod token;

/// A target: takes any bytes, and panics when something does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also the name of its folder in `fuzz/seeds`.
pub const TARGETS: &[(&str, Target)] = &[
    ("arm_id", arm_id::run),
    ("audit_line", audit_line::run),
    ("condition", condition::run),
    ("entity", entity::run),
    ("events", events::run),
    ("form", form::run),
    ("imds_query", imds_query::run),
    ("prompt", prompt::run),
    ("token", token::run),
];
