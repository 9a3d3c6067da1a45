//! The claims challenge of continuous access evaluation: a 401 that tells a client to fetch a token that it has not cached.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyless_model::Timestamp;
use keyless_token::TokenError;

use crate::AuthnError;

impl AuthnError {
    /// When a new token would do: the moment from which on it must have been issued.
    #[must_use]
    pub const fn newer_token(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Revoked { tokens_valid_from } => Some(*tokens_valid_from),
            // A key that is out of rotation.
            Self::Token(TokenError::UnknownKey(_)) => Some(now),
            _ => None,
        }
    }
}

/// `WWW-Authenticate` of an answer to a token that was issued before `valid_from`. azure-core's policies, MSAL's callers and `az`
/// take the claims to the authority, past their caches, and send the request once more.
#[must_use]
pub fn claims_challenge(authority: &str, valid_from: Timestamp) -> String {
    let claims = format!(r#"{{"access_token":{{"nbf":{{"essential":true,"value":"{}"}}}}}}"#, valid_from.unix_secs());
    let claims = STANDARD.encode(claims);
    format!(r#"Bearer realm="", authorization_uri="{authority}/common/oauth2/authorize", error="insufficient_claims", claims="{claims}""#)
}
