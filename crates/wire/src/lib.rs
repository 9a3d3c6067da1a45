//! What Azure says on the wire: OAuth, OIDC, IMDS, ARM, Graph and AI error shapes.
//!
//! Reason to be a crate: published. Other tools speak to the same services, so this knows serde and nothing of Keyless: no ids, no
//! clock, no HTTP. Every shape here has a golden test of its exact JSON (`tests/golden.rs`).

/// Gives types that carry live secrets a `Debug` that cannot leak them.
macro_rules! label_only {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}
use label_only;

pub mod ai;
pub mod arm;
pub mod graph;
mod jwks;
pub mod metadata;
pub mod monitor;
pub mod oauth;
pub mod oidc;

pub use jwks::{Jwk, Jwks};
