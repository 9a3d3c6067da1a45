//! What Azure says on the wire: OAuth, OIDC, IMDS, ARM, Graph and AI error shapes.
//!
//! Reason to be a crate: published. Other tools speak to the same services, so this knows serde and nothing of Keyless: no ids, no
//! clock, no HTTP. Every shape here has a golden test of its exact JSON.

mod jwks;

pub use jwks::{Jwk, Jwks};
