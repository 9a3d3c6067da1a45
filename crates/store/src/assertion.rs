//! Used assertions: what the store remembers so that each works once, on every node and after a restart.
//!
//! It does not know what an assertion is, nor whether a second use from the same address is harmless: the authority does.

use std::net::IpAddr;

use keyless_model::Timestamp;
use keyless_token::replay::ReplayKey;

/// An assertion that somebody presents.
#[derive(Debug, Clone, Copy)]
pub struct Presented {
    pub key: ReplayKey,
    /// The first moment at which it would not be accepted any more, leeway included.
    pub until: Timestamp,
    pub source: Option<IpAddr>,
    /// The most assertions to remember at once.
    pub capacity: u64,
}

/// Whether an assertion was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Never before; it is remembered from now on.
    First,
    /// It was, from this address first.
    Again { first: Option<IpAddr> },
    /// It has expired, or others that expire as late have been forgotten: it may have been among them.
    TooLate,
    /// SECURITY: forgetting one early to make room would let a flood open the door to a replay; so new ones wait instead.
    Full,
}
