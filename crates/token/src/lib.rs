//! Mints and verifies tokens, holds the key life cycle and the assertion rules.
//!
//! Reason to be a crate: a pure core. Bytes, keys and the time come in as arguments; it knows no HTTP, no store, no clock and no
//! environment. Text from outside is an [`Unverified`] until [`verify`] has made a [`Verified`] of it, and only that says who called.

mod algorithm;
mod claims;
mod error;
mod grant;
mod json;
mod public;
mod signer;
mod unverified;
mod verify;
mod verifying;

pub use algorithm::Algorithm;
pub use claims::Claims;
pub use error::{KeyError, TokenError};
pub use grant::{AccessClaims, AppCredential, Grant, TokenSubject, Version};
pub use public::PublicKeys;
pub use signer::{NewKey, Signer, TokenHeader};
pub use unverified::Unverified;
pub use verify::{Expect, Signed, TokenKind, Verified, verify};
