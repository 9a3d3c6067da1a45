//! Tokens of external OIDC issuers that stand in for a credential (workload identity federation).
//!
//! It knows no network: the caller asks [`stated_issuer`], fetches that issuer's keys only if a credential names it, and comes back.

use keyless_model::Timestamp;
use keyless_model::entity::{FederatedCredential, SubjectMatch};

use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::error::TokenError;
use crate::expression::Expression;
use crate::jwks::ExternalKeys;
use crate::unverified::Unverified;
use crate::validity::{self, TimeError, TimeRules};

/// What an external token must keep to, beyond its credential.
#[derive(Debug, Clone, Copy)]
pub struct FederatedRules {
    pub now: Timestamp,
    pub leeway_secs: i64,
    /// Longest time from issue (or from now) to expiry.
    pub max_lifetime_secs: i64,
}

/// An external token that matched a credential.
#[derive(Debug, Clone)]
pub struct ProvenFederated<'c> {
    pub credential: &'c FederatedCredential,
    pub issuer: String,
    pub subject: String,
    pub audience: String,
    /// When the issuer sent one; many do not.
    pub jti: Option<String>,
    pub expires: Timestamp,
}

/// Which part of the credential a genuine token did not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// AADSTS700211.
    Issuer,
    /// AADSTS700212.
    Audience,
    /// AADSTS700213.
    Subject,
    /// AADSTS7002138: equal but for upper and lower case.
    SubjectCase,
}

/// Why an external token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FederatedError {
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The issuer's keys, as far as we know them, have no such key: refetch once, then refuse.
    #[error("the token names a key that its issuer does not publish")]
    UnknownKey,
    #[error("no federated credential matches the token; compare its issuer, subject and audience with the registered ones, byte for byte")]
    NoMatch { mismatch: Mismatch, issuer: String, subject: String, audience: String },
    #[error(transparent)]
    Time(#[from] TimeError),
}

/// The issuer the token states, for looking up credentials and keys. SECURITY: compare it with registered issuers before any fetch;
/// it is an address that a stranger wrote.
///
/// # Errors
/// [`TokenError`] when there is none.
pub fn stated_issuer(token: &Unverified<'_>) -> Result<String, TokenError> {
    Ok(token.stated_claims()?.required("iss")?.to_owned())
}

/// Checks an external token against the keys of its issuer and the credentials of one client.
///
/// Which part did not match is only told of tokens that the issuer really signed, so strangers cannot probe for registered subjects.
///
/// # Errors
/// The first rule that fails, as a [`FederatedError`].
pub fn check<'c>(
    token: &Unverified<'_>,
    keys: &ExternalKeys,
    credentials: impl IntoIterator<Item = &'c FederatedCredential>,
    rules: &FederatedRules,
) -> Result<ProvenFederated<'c>, FederatedError> {
    if token.typ().is_some_and(|typ| !["JWT", "JOSE", "at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known))) {
        return Err(TokenError::Type.into());
    }
    let claims = token.stated_claims()?;
    let issuer = claims.required("iss")?;
    let mut ours = credentials.into_iter().filter(|credential| credential.issuer == issuer).peekable();
    if ours.peek().is_none() {
        return Err(no_match(Mismatch::Issuer, &claims));
    }
    let takes = |credential: &&FederatedCredential| credential.algorithms.iter().any(|one| Algorithm::from(*one) == token.algorithm());
    let mut ours = ours.filter(takes).peekable();
    if ours.peek().is_none() {
        return Err(TokenError::Algorithm.into());
    }
    let kid = token.kid().ok_or(TokenError::Malformed("no kid"))?;
    match keys.find(kid, token.algorithm()) {
        Some(key) => token.check(key)?,
        None if keys.names(kid) => return Err(TokenError::Algorithm.into()),
        None => return Err(FederatedError::UnknownKey),
    }
    let FederatedRules { now, leeway_secs, max_lifetime_secs } = *rules;
    let expires = validity::check::<FederatedError>(&claims, TimeRules { now, leeway_secs, max_lifetime_secs })?;
    let subject = claims.required("sub")?;
    let [audience] = claims.audiences()?[..] else { return Err(no_match(Mismatch::Audience, &claims)) };
    let mut closest = Mismatch::Audience;
    for credential in ours {
        match mismatch(credential, &claims, subject, audience) {
            None => {
                return Ok(ProvenFederated {
                    credential,
                    issuer: issuer.to_owned(),
                    subject: subject.to_owned(),
                    audience: audience.to_owned(),
                    jti: claims.optional("jti")?.map(ToOwned::to_owned),
                    expires,
                });
            }
            Some(Mismatch::SubjectCase) => closest = Mismatch::SubjectCase,
            Some(Mismatch::Subject) if closest == Mismatch::Audience => closest = Mismatch::Subject,
            Some(_) => {}
        }
    }
    Err(no_match(closest, &claims))
}

/// How a credential of the right issuer fails to match; none when it matches.
fn mismatch(credential: &FederatedCredential, claims: &Claims<'_>, subject: &str, audience: &str) -> Option<Mismatch> {
    if credential.audience != audience {
        return Some(Mismatch::Audience);
    }
    match &credential.subject {
        SubjectMatch::Exact(wanted) if wanted == subject => None,
        SubjectMatch::Exact(wanted) if wanted.eq_ignore_ascii_case(subject) => Some(Mismatch::SubjectCase),
        SubjectMatch::Exact(_) => Some(Mismatch::Subject),
        // An expression that no longer parses matches nothing: a stricter parser must not open what an older one closed.
        SubjectMatch::Expression(text) => match Expression::parse(text) {
            Ok(expression) if expression.matches(claims) => None,
            _ => Some(Mismatch::Subject),
        },
    }
}

fn no_match(mismatch: Mismatch, claims: &Claims<'_>) -> FederatedError {
    let text = |name| claims.text(name).unwrap_or_default().to_owned();
    let audience = claims.strings("aud").unwrap_or_default().join(" ");
    FederatedError::NoMatch { mismatch, issuer: text("iss"), subject: text("sub"), audience }
}
