//! What must hold whoever changes the directory: each check sees the snapshot before a change and the documents of the change.

pub mod administrators;
mod coverage;
pub mod documents;
pub mod locks;
pub mod quota;
pub mod scopes;

use keyless_model::Scope;
use keyless_model::entity::{EntityKey, Mutation};
use keyless_rbac::Permit;

use crate::Snapshot;

/// What a change would break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The permit is for something else than what the change touches.
    #[error("the permit does not reach as far as {}/{}; ask for the right where the change is made", .0.kind.as_str(), .0.id)]
    NotCovered(EntityKey),
    /// A subscription that someone can administer would have nobody left who can.
    #[error("nobody could assign roles in '{0}' afterwards; assign Owner to someone else first")]
    LastAdministrator(Scope),
    /// A management lock forbids it.
    #[error("'{scope}' cannot be changed so: '{lock}' is locked; remove the lock first")]
    Locked {
        /// What would be changed.
        scope: Scope,
        /// Where the lock is.
        lock: Scope,
        /// Whether it would be deleted.
        deleting: bool,
    },
    /// As many of these as there may be exist already.
    #[error("there can be no more {0}; delete some first")]
    TooMany(&'static str),
    /// A document would be larger than any other part of the system expects.
    #[error("a document would be larger than {} kB; make it smaller", documents::MAX / 1024)]
    TooLarge,
}

/// Refuses a change that the permit does not cover, or after which something would not hold that must. `deed` is where the audit says
/// that what is done; locks do not bind Keyless itself.
///
/// # Errors
/// The first [`Violation`].
pub fn check(permit: &Permit, snapshot: &Snapshot, mutations: &[Mutation], deed: Option<(&Scope, &str)>) -> Result<(), Violation> {
    coverage::check(permit, snapshot, mutations)?;
    if let Some((target, operation)) = deed.filter(|_| !permit.is_system()) {
        locks::check(snapshot, target, operation)?;
    }
    documents::check(mutations)?;
    quota::check(snapshot, mutations)?;
    administrators::check(snapshot, mutations)
}
