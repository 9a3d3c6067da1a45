//! Decides whether a principal may act: Azure RBAC semantics over an immutable compiled policy.
//!
//! Reason to be a crate: a pure core. It knows roles, assignments, groups, scopes and conditions; it knows nothing of tokens,
//! HTTP, storage, time or the environment. Whoever asks gets a [`Decision`] that names the rule which decided, and - only when
//! the answer is yes - a [`Permit`], the one thing that opens the data behind the question.

pub mod actions;
mod attributes;
pub mod builtin;
pub mod condition;
mod decision;
mod digest;
mod pattern;
mod permit;
mod policy;
mod request;
mod role;

pub use attributes::{AttributeSource, AttributeValue, Attributes};
pub use decision::{Because, Decision, Denial, Effect};
pub use permit::{Permit, SystemRight};
pub use policy::{Place, Policy};
pub use request::{Plane, Request};
pub use role::{RoleError, validate_custom_role, validate_permissions};
