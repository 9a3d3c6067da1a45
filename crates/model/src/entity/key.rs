//! Token signing keys.

use serde::{Deserialize, Serialize};

use crate::entity::Sealed;
use crate::{KeyId, Timestamp};

/// Where a key stands in its life. Keys move forward only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyState {
    /// Made, not yet shown to anyone.
    Prepared,
    /// In the JWKS so that caches learn it; signs nothing yet.
    Published,
    /// Signs new tokens. At most one key per algorithm is active.
    Active,
    /// Signs nothing new; still in the JWKS because its tokens live.
    Retiring,
    /// Out of the JWKS; its tokens are refused.
    Retired,
}

/// What somebody else may sign an assertion with (RFC 7518 section 3.1): a property of the registered credential, so that a token
/// cannot choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssertionAlgorithm {
    RS256,
    /// MSAL for .NET, Go and JavaScript sign so.
    PS256,
    /// SPIRE signs so from the factory.
    ES256,
}

impl AssertionAlgorithm {
    /// For a certificate that says nothing else: what Azure's libraries send.
    #[must_use]
    pub fn of_certificates() -> Vec<Self> {
        vec![Self::RS256, Self::PS256]
    }

    /// For a federated credential that says nothing else: what Entra takes.
    #[must_use]
    pub fn of_issuers() -> Vec<Self> {
        vec![Self::RS256]
    }
}

/// The signature algorithms of our own tokens (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048-bit keys: what Entra issues.
    RS256,
    /// ECDSA P-256 with SHA-256, where a resource asks for it.
    ES256,
}

/// A signing key: the private part sealed, the public part plain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    pub kid: KeyId,
    pub algorithm: SigningAlgorithm,
    pub state: KeyState,
    /// PKCS#8 DER of the private key, sealed.
    pub private: Sealed,
    /// `SubjectPublicKeyInfo` DER, base64 (no padding).
    pub public: String,
    /// When the state last changed.
    pub since: Timestamp,
    pub created: Timestamp,
}

impl SigningKey {
    pub(super) fn entity_id(&self) -> String {
        self.kid.to_string()
    }
}
