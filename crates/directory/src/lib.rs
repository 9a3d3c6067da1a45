//! The domain: what the directory holds, how each thing in it begins, changes and ends, and what must hold whoever changes it.
//!
//! Reason to be a crate: a pure core. [`Snapshot`] is the directory at one revision; a plan is a function from a snapshot and a wish
//! to the documents that fulfil it; an invariant refuses documents after which something would no longer hold. Nothing here knows of
//! HTTP, databases, time or the environment, decides who may do something, or writes anything: `keyless-store` does the writing.

pub mod invariant;
pub mod plan;
mod revision;
pub mod sealer;
mod snapshot;

pub use plan::{Means, Planned};
pub use revision::Revision;
pub use sealer::Sealer;
pub use snapshot::{Below, Snapshot, page_origin};
