//! What must hold whoever changes the directory: each check sees the snapshot before a change and the documents of the change.

pub mod administrators;
pub mod documents;
pub mod locks;
pub mod quota;
pub mod scopes;

use keyless_model::Scope;

/// What a change would break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
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
