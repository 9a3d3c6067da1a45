//! External OIDC issuers: whose keys verify a workload's own token. Fetches are bounded in time, size, number and place.
//!
//! It does not know which tokens are accepted; `keyless-token` judges those with the keys that this module brings.

mod address;
mod discovery;
mod fetch;
mod issuers;
mod public_web;

pub use fetch::{FetchError, FormPost, HttpFetch, HttpPost, Place};
pub use issuers::{ExternalIssuers, KeysUnavailable, Want};
pub use public_web::PublicWeb;

/// An issuer that the operator named: it may live on a private or loopback address, under a certificate authority of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// Exactly the `iss` of its tokens.
    pub issuer: String,
    /// Where its keys are, when not on the issuer's own host (Kubernetes often; Google).
    pub jwks_uri: Option<String>,
    /// Certificates (DER) trusted for this issuer instead of the system's.
    pub certificates: Vec<Vec<u8>>,
}

impl TrustedIssuer {
    /// An issuer with its keys on its own host, under the system's certificates.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), jwks_uri: None, certificates: Vec::new() }
    }
}
