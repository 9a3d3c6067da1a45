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

    /// Whether its keys can be fetched without anybody on the way putting in others.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        let protected = |text: &str| {
            text.parse::<http::Uri>().is_ok_and(|url| match url.scheme_str() {
                Some("https") => true,
                Some("http") => public_web::is_this_machine(&url),
                _ => false,
            })
        };
        protected(&self.issuer) && self.jwks_uri.as_deref().is_none_or(protected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only_i13() {
        for (issuer, protected) in [
            ("https://idp.corp.example", true),
            ("http://127.0.0.1:4444", true),
            ("http://[::1]:4444/t", true),
            ("http://localhost:4444", true),
            ("http://idp.corp.example", false),
            ("http://10.0.0.7", false),
            ("http://localhost.corp.example", false),
            ("http://127.0.0.1.corp.example", false),
            ("ftp://localhost", false),
            ("", false),
        ] {
            assert_eq!(TrustedIssuer::new(issuer).is_protected(), protected, "{issuer}");
        }
        let elsewhere =
            TrustedIssuer { jwks_uri: Some("http://idp.corp.example/keys".into()), ..TrustedIssuer::new("https://idp.corp.example") };
        assert!(!elsewhere.is_protected());
    }
}
