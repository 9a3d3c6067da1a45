//! Plans of what exists: pure functions from a wish to the documents that fulfil it. The handlers of ARM and Graph use them, and
//! so does a server that fills a fresh directory; nothing here decides who may, or writes anything.

pub mod account;
pub(crate) mod administrators;
pub mod ai_key;
pub mod application;
pub mod container;
pub mod deny_assignment;
pub mod deployment;
pub mod directory_object;
pub(crate) mod federation;
pub mod guest;
pub mod host;
pub mod identity;
pub(crate) mod locks;
pub(crate) mod quota;
pub mod removal;
pub mod role_assignment;

pub use keyless_model::name;

use keyless_model::entity::Mutation;
use keyless_model::{Entropy, Timestamp};
use keyless_store::sealer::Sealer;

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

impl<'a> Means<'a> {
    /// The means of a platform, at `now`.
    #[must_use]
    pub fn of(platform: &'a keyless_web::Platform, now: Timestamp) -> Self {
        Self { now, entropy: &*platform.entropy, sealer: &platform.sealer }
    }
}
