//! Mints and verifies tokens, holds the key life cycle and the assertion rules.
//!
//! Reason to be a crate: a pure core. Bytes, keys and the time come in as arguments; it knows no HTTP, no store, no clock and no
//! environment. Text from outside is an [`Unverified`] until [`verify`] has made a [`Verified`] of it, and only that says who called.

mod algorithm;
pub mod assertion;
mod certificate;
mod claims;
pub mod code;
mod error;
pub mod expression;
pub mod federated;
mod grant;
mod id_token;
mod json;
pub mod jwks;
pub mod opaque;
pub mod password;
pub mod pkce;
mod public;
pub mod replay;
pub mod rotation;
pub mod sign_in;
mod signer;
mod strength;
mod thumbprint;
mod unverified;
mod validity;
mod verify;
mod verifying;
mod workload;

pub use algorithm::Algorithm;
pub use certificate::Certificate;
pub use claims::Claims;
pub use error::{KeyError, TokenError};
pub use expression::Expression;
pub use grant::{AccessClaims, AppCredential, Grant, TokenSubject, Version};
pub use id_token::{IdClaims, IdGrant};
pub use public::PublicKeys;
pub use signer::{NewKey, Signer, TokenHeader};
pub use unverified::Unverified;
pub use validity::TimeError;
pub use verify::{Expect, LEEWAY_SECS, Signed, TokenKind, Verified, verify};
pub use workload::{WorkloadClaims, WorkloadGrant};
