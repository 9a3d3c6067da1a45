//! The signature algorithms that are accepted at all. What is not named here does not exist: no `none`, no HMAC, no SHA-1.

use keyless_model::entity::{AssertionAlgorithm, SigningAlgorithm};

/// An asymmetric JWS algorithm (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    PS256,
    /// ECDSA on P-256 with SHA-256; the signature is `r || s`, 64 bytes (IEEE P1363), never DER.
    ES256,
}

impl Algorithm {
    /// The name in `alg`. Exact: `rs256` or `RS256 ` is another, unknown algorithm.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::RS256),
            "PS256" => Some(Self::PS256),
            "ES256" => Some(Self::ES256),
            _ => None,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
        }
    }
}

impl From<AssertionAlgorithm> for Algorithm {
    fn from(registered: AssertionAlgorithm) -> Self {
        match registered {
            AssertionAlgorithm::RS256 => Self::RS256,
            AssertionAlgorithm::PS256 => Self::PS256,
            AssertionAlgorithm::ES256 => Self::ES256,
        }
    }
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(own: SigningAlgorithm) -> Self {
        match own {
            SigningAlgorithm::RS256 => Self::RS256,
            SigningAlgorithm::ES256 => Self::ES256,
        }
    }
}
