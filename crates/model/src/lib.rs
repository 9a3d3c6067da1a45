//! The nouns of the domain: typed ids, scopes, entities, secrets, time and randomness.
//!
//! Reason to be a crate: a pure core. Everything else speaks in these types, so nothing here may know of HTTP, SQL, an async
//! runtime, the wall clock or the process environment.

mod context;
pub mod entity;
mod entropy;
mod id;
pub mod name;
mod scope;
mod secret;
mod time;

pub use context::{Actor, OpContext};
pub use entropy::Entropy;
pub use id::{
    AssignmentId, ClientId, CredentialId, DenyAssignmentId, InvalidId, KeyId, ObjectId, RequestId, RoleId, SubscriptionId, TenantId,
};
pub use scope::{InvalidScope, Scope, ScopeKind};
pub use secret::Secret;
pub use time::{Clock, Timestamp};
