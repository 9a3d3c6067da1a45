//! Id tokens of an OpenID provider that people of this system sign in with (OpenID Connect Core 1.0, section 3.1.3.7).
//!
//! It knows no network, and not who the person is here: it says which subject of that provider signed in, in answer to our question.

use keyless_model::{Secret, Timestamp};

use crate::algorithm::Algorithm;
use crate::error::TokenError;
use crate::jwks::ExternalKeys;
use crate::unverified::Unverified;
use crate::validity::{self, TimeError, TimeRules};

/// Longest subject, in ASCII characters (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT: usize = 255;

/// What the id token must say.
#[derive(Debug, Clone, Copy)]
pub struct SignInRules<'a> {
    /// Byte for byte.
    pub issuer: &'a str,
    /// Our own name at the provider: the audience.
    pub client_id: &'a str,
    /// What we sent with this very question.
    pub nonce: &'a Secret<String>,
    /// Those that the provider says it signs with, of those we know.
    pub algorithms: &'a [Algorithm],
    pub now: Timestamp,
    pub leeway_secs: i64,
    pub max_lifetime_secs: i64,
}

/// Who signed in at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenPerson {
    /// `sub`: never given to anybody else by this issuer.
    pub subject: String,
    /// Only when the provider says that it has verified it.
    pub verified_email: Option<String>,
}

/// Why an id token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The provider's keys, as far as we know them, have no such key: refetch once, then refuse.
    #[error("the id token names a key that the provider does not publish")]
    UnknownKey,
    #[error("the id token is of another issuer than the provider")]
    Issuer,
    #[error("the id token is for another program than this one")]
    Audience,
    #[error("the id token answers another sign-in than this one: its nonce differs")]
    Nonce,
    #[error(transparent)]
    Time(#[from] TimeError),
}

/// Checks the id token that the provider handed over for our code.
///
/// # Errors
/// The first rule that fails, as a [`SignInError`].
pub fn check(token: &Unverified<'_>, keys: &ExternalKeys, rules: &SignInRules<'_>) -> Result<ProvenPerson, SignInError> {
    if !rules.algorithms.contains(&token.algorithm()) {
        return Err(TokenError::Algorithm.into());
    }
    // SECURITY: an access token or a logout token of the same provider is signed with the same keys.
    if token.typ().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(TokenError::Type.into());
    }
    let kid = token.kid().ok_or(TokenError::Malformed("no kid"))?;
    match keys.find(kid, token.algorithm()) {
        Some(key) => token.check(key)?,
        None if keys.names(kid) => return Err(TokenError::Algorithm.into()),
        None => return Err(SignInError::UnknownKey),
    }
    let claims = token.stated_claims()?;
    if claims.required("iss")? != rules.issuer {
        return Err(SignInError::Issuer);
    }
    // A list may name others beside us only if it was made for us: then `azp` says so (steps 3 to 5 of the section).
    let audiences = claims.audiences()?;
    let party = claims.optional("azp")?;
    let for_us = audiences.contains(&rules.client_id) && party.map_or(audiences.len() == 1, |party| party == rules.client_id);
    if !for_us {
        return Err(SignInError::Audience);
    }
    claims.seconds_lenient("iat")?.ok_or(TokenError::Claim("iat"))?;
    let SignInRules { now, leeway_secs, max_lifetime_secs, .. } = *rules;
    validity::check::<SignInError>(&claims, TimeRules { now, leeway_secs, max_lifetime_secs })?;
    // SECURITY: an id token that somebody took from another sign-in would sign its owner in here.
    if !rules.nonce.matches(claims.optional("nonce")?.unwrap_or_default().as_bytes()) {
        return Err(SignInError::Nonce);
    }
    let subject = claims.required("sub")?;
    if subject.len() > MAX_SUBJECT || !subject.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(TokenError::Claim("sub").into());
    }
    let verified_email = claims.optional("email")?.filter(|_| claims.is_true("email_verified")).map(ToOwned::to_owned);
    Ok(ProvenPerson { subject: subject.to_owned(), verified_email })
}
