//! The port to the token service.

use std::fmt::Debug;

use keyless_model::entity::ManagedIdentity;
use keyless_model::{KeyId, OpContext, Scope, Secret, Timestamp};

/// A token wanted for an identity.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    pub identity: &'a ManagedIdentity,
    /// The resource as the client named it; becomes the token's audience.
    pub resource: &'a str,
    /// The host on which the identity is used.
    pub host: &'a Scope,
    /// How the caller proved itself, for the audit: `imds` or `identity_header`.
    pub credential: &'static str,
    /// Who gets it, for the audit: the loan, or the user whose process asks.
    pub holder: &'a str,
}

/// A signed token.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    pub token: Secret<String>,
    /// `uti`, by which the audit names it.
    pub token_id: String,
    pub issued: Timestamp,
    pub expires: Timestamp,
    /// The key that signed it.
    pub kid: KeyId,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum TokenSourceError {
    /// No such resource: the client's mistake.
    #[error("the resource `{0}` is not known here; ask for one such as https://cognitiveservices.azure.com")]
    UnknownResource(String),
    /// The token service cannot answer now.
    #[error("the token service cannot issue tokens now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Issues tokens for managed identities, and records that it did before it returns.
pub trait TokenSource: Debug + Send + Sync {
    /// # Errors
    /// When the resource is unknown, or nothing can be signed or recorded.
    fn issue(&self, ctx: &OpContext, request: &TokenRequest<'_>) -> Result<IssuedToken, TokenSourceError>;
}
