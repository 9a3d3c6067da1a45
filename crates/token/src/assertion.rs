//! Client assertions that an application signs with its own registered certificate (RFC 7523, `private_key_jwt`).
//!
//! It checks one assertion and returns its `jti`; remembering `jti`s is [`crate::replay`]'s work, finding the application's certificates
//! the caller's.

use keyless_model::{ClientId, CredentialId, Timestamp};

use crate::algorithm::Algorithm;
use crate::certificate::Certificate;
use crate::claims::Claims;
use crate::error::TokenError;
use crate::thumbprint;
use crate::unverified::Unverified;
use crate::validity::{self, TimeError, TimeRules};

/// Longest `jti`, in bytes; honest clients send a UUID.
const MAX_JTI: usize = 256;

/// What an assertion must say to count.
#[derive(Debug, Clone, Copy)]
pub struct AssertionRules<'a> {
    /// Must be `iss` and `sub`.
    pub client_id: ClientId,
    /// Accepted `aud`, byte for byte: the authority's issuer, and the token endpoint's URLs where MSAL is to work (case 37).
    pub audiences: &'a [String],
    pub algorithms: &'a [Algorithm],
    pub now: Timestamp,
    pub leeway_secs: i64,
    /// Longest time from issue (or from now, where the client states no issue time) to expiry.
    pub max_lifetime_secs: i64,
}

/// Proof that the application signed just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenAssertion {
    /// Which registered certificate signed.
    pub credential: CredentialId,
    pub audience: String,
    /// Unique per assertion. MSAL for Python and JavaScript send one assertion again until it expires.
    pub jti: String,
    /// Remember the `jti` until then (leeway included).
    pub replayable_until: Timestamp,
}

/// Why an assertion is refused. AADSTS numbers are the authority's to choose; the cases are told apart as Entra does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssertionError {
    /// Not a token at all, or an algorithm that is not accepted (AADSTS50027, AADSTS700027).
    #[error(transparent)]
    Token(#[from] TokenError),
    /// AADSTS700027: "The key was not found."
    #[error("the certificate that signed the assertion is not registered on the application; register it, or sign with a registered one")]
    UnknownCertificate,
    /// AADSTS700027: "The key used is expired."
    #[error("the certificate that signed the assertion is outside its validity; register a new one")]
    CertificateOutOfTime,
    #[error(transparent)]
    Time(#[from] TimeError),
    #[error("the assertion is for another audience; send the token endpoint's URL or the issuer as `aud`")]
    Audience,
    /// `iss` and `sub` are not the client id: this is somebody else's token, to be judged as a federated one or not at all.
    #[error("the assertion's `iss` and `sub` are not the client id")]
    NotOwn,
}

/// Whether an assertion claims to be the client's own. SECURITY: `iss` decides which rules apply, so an own assertion needs both `iss`
/// and `sub` to be the client id; anything else can only ever be a federated token (case 39).
///
/// # Errors
/// [`TokenError`] when the payload is not readable.
pub fn is_own(token: &Unverified<'_>, client_id: ClientId) -> Result<bool, TokenError> {
    Ok(states_client(&token.stated_claims()?, client_id))
}

fn states_client(claims: &Claims<'_>, client_id: ClientId) -> bool {
    ["iss", "sub"].iter().all(|name| claims.text(name).and_then(|text| text.parse::<ClientId>().ok()) == Some(client_id))
}

/// Checks an assertion against the application's registered certificates.
///
/// # Errors
/// The first rule that fails, as an [`AssertionError`].
pub fn check(
    token: &Unverified<'_>,
    certificates: &[(CredentialId, Certificate)],
    rules: &AssertionRules<'_>,
) -> Result<ProvenAssertion, AssertionError> {
    if !rules.algorithms.contains(&token.algorithm()) {
        return Err(TokenError::Algorithm.into());
    }
    if token.typ().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT") && !typ.eq_ignore_ascii_case("client-authentication+jwt")) {
        return Err(TokenError::Type.into());
    }
    let (credential, certificate) = named_certificate(token, certificates).ok_or(AssertionError::UnknownCertificate)?;
    token.check(certificate.key(token.algorithm())?)?;
    // Only after the signature, so that a stranger cannot ask when a certificate runs out.
    if rules.now < certificate.not_before() || rules.now >= certificate.not_after() {
        return Err(AssertionError::CertificateOutOfTime);
    }
    let claims = token.stated_claims()?;
    if !states_client(&claims, rules.client_id) {
        return Err(AssertionError::NotOwn);
    }
    let AssertionRules { now, leeway_secs, max_lifetime_secs, .. } = *rules;
    let expires = validity::check::<AssertionError>(&claims, TimeRules { now, leeway_secs, max_lifetime_secs })?;
    // Exactly one audience: with two, the other receiver could send the assertion on to us.
    let [audience] = claims.audiences()?[..] else { return Err(AssertionError::Audience) };
    if !rules.audiences.iter().any(|accepted| accepted == audience) {
        return Err(AssertionError::Audience);
    }
    let jti = claims.required("jti")?;
    if jti.len() > MAX_JTI {
        return Err(TokenError::Claim("jti").into());
    }
    Ok(ProvenAssertion {
        credential: *credential,
        audience: audience.to_owned(),
        jti: jti.to_owned(),
        replayable_until: expires.plus_secs(rules.leeway_secs),
    })
}

/// Whether the header names the certificate of these thumbprints (lower-case hex), so that no other one need be parsed.
#[must_use]
pub fn names_certificate(token: &Unverified<'_>, sha1: &str, sha256: &str) -> bool {
    let is = |found: Option<&[u8]>, known: &str| found.is_some_and(|found| hex(found) == known);
    (token.x5t().is_some() || token.x5t_s256().is_some())
        && token.x5t().is_none_or(|text| is(thumbprint::decode::<20>(text).as_ref().map(<[u8; 20]>::as_slice), sha1))
        && token.x5t_s256().is_none_or(|text| is(thumbprint::decode::<32>(text).as_ref().map(<[u8; 32]>::as_slice), sha256))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The registered certificate that the header names. Both names, when both are there, must name the same one.
fn named_certificate<'c>(
    token: &Unverified<'_>,
    certificates: &'c [(CredentialId, Certificate)],
) -> Option<&'c (CredentialId, Certificate)> {
    if token.x5t().is_none() && token.x5t_s256().is_none() {
        return None;
    }
    let sha1 = token.x5t().map(thumbprint::decode::<20>);
    let sha256 = token.x5t_s256().map(thumbprint::decode::<32>);
    certificates.iter().find(|(_, certificate)| {
        sha1.is_none_or(|found| found == Some(*certificate.sha1())) && sha256.is_none_or(|found| found == Some(*certificate.sha256()))
    })
}
