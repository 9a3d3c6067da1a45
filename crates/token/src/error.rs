//! Why a token, assertion or key is refused. The texts may reach a client or a log, so none of them ever holds token text.

use keyless_model::{KeyId, TenantId};

/// Why a presented token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a strict compact JWS; the text says which rule it breaks.
    #[error("the token is malformed ({0}); request a new one")]
    Malformed(&'static str),
    /// `alg` is missing, not on the list, or not the algorithm of the key it names.
    #[error("the token's signature algorithm is not accepted for its key; use RS256, PS256 or ES256 as registered")]
    Algorithm,
    /// No key of that name may verify now.
    #[error("the token names signing key `{0}`, which is not published; request a new token")]
    UnknownKey(KeyId),
    #[error("the token's signature does not match; request a new token from the authority")]
    Signature,
    #[error("the token has expired; request a new one")]
    Expired,
    #[error("the token is not valid yet; check the clocks of both machines")]
    NotYetValid,
    #[error("the token was issued for another audience; request one for this resource")]
    Audience,
    #[error("the token comes from an issuer that is not trusted here; request one from this system's authority")]
    Issuer,
    /// Genuine, but of another tenant than the resource's.
    #[error("the token belongs to tenant {0}, not to the resource's tenant; sign in to the right tenant")]
    Tenant(TenantId),
    /// Genuine, but no access token (an id token, say).
    #[error("this is not an access token; send the access token of the answer, not the id token or refresh token")]
    Type,
    /// A claim is missing or has the wrong form.
    #[error("the token's claim `{0}` is missing or malformed; request a new token")]
    Claim(&'static str),
}

/// Why a key cannot be made, read or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    #[error("the cryptographic library could not make a key; check that the system's random source works")]
    Generate,
    /// The text says which rule the key breaks.
    #[error("the key is refused: {0}")]
    Rejected(&'static str),
    #[error("the cryptographic library could not sign; replace the signing key")]
    Sign,
    #[error("the claims cannot be written as JSON; report this as a defect")]
    Claims,
    /// Two keys of one set share a name, so a token could not say which of them signed it.
    #[error("two keys are named `{0}`; give each key its own id")]
    DuplicateId(KeyId),
}
