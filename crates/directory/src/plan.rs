//! Plans of what exists: pure functions from a wish to the documents that fulfil it, one module per noun. Every plane that makes,
//! changes or ends something plans it here, so that no two do it differently.

pub mod account;
pub mod ai_key;
pub mod application;
pub mod assignment;
pub mod container;
pub mod deny_assignment;
pub mod deployment;
pub mod federation;
pub mod group;
pub mod guest;
pub mod host;
pub mod identity;
pub mod removal;
pub mod sessions;
pub mod user;

use keyless_model::entity::Mutation;
use keyless_model::{Entropy, Timestamp};

use crate::Sealer;

/// What a plan is made with: the moment, randomness, and the sealer for secrets at rest.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    pub now: Timestamp,
    pub entropy: &'a dyn Entropy,
    pub sealer: &'a Sealer,
}

/// A planned document, and every mutation that brings it about (its principal, for an identity).
#[derive(Debug, Clone, PartialEq)]
pub struct Planned<T> {
    pub entity: T,
    pub mutations: Vec<Mutation>,
}
