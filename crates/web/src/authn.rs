//! Bearer tokens to callers.
//!
//! A token is verified in full once and then known by its SHA-256; everything that can change after issuance - the key's
//! state, the principal, revocation - is asked of the current snapshot on every call. So a token only identifies.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use keyless_model::entity::Principal;
use keyless_model::{Actor, KeyId, TenantId, Timestamp};
use keyless_store::{Snapshot, StoreError};
use keyless_token::{Expect, Signed, TokenError, Unverified, Verified};
use quick_cache::sync::Cache;

use crate::Platform;

/// Clock differences tolerated between the issuer and us, in seconds. They are one process or synchronised machines.
const LEEWAY_SECS: i64 = 60;
/// Verified tokens remembered; about 500 bytes each.
const REMEMBERED: usize = 20_000;

/// The audiences that a plane answers to.
#[derive(Debug, Clone)]
pub struct Audiences(Vec<String>);

impl Audiences {
    /// The AI data plane: both scopes that Azure's clients ask, with and without the trailing slash.
    #[must_use]
    pub fn gateway() -> Self {
        Self::with_slashes(&["https://cognitiveservices.azure.com", "https://ai.azure.com"])
    }

    /// The control plane: this system's own address and Azure's two management names.
    #[must_use]
    pub fn control(base: &str) -> Self {
        Self::with_slashes(&[base, "https://management.azure.com", "https://management.core.windows.net"])
    }

    /// The Graph subset.
    #[must_use]
    pub fn graph(base: &str) -> Self {
        Self::with_slashes(&[base, "https://graph.microsoft.com"])
    }

    fn with_slashes(names: &[&str]) -> Self {
        Self(names.iter().flat_map(|name| [(*name).to_owned(), format!("{name}/")]).collect())
    }
}

/// Someone whose token holds now.
#[derive(Debug, Clone)]
pub struct Caller {
    pub token: Arc<Verified>,
    pub principal: Arc<Principal>,
}

impl Caller {
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Principal { id: self.principal.id, tenant: self.principal.tenant, client_id: self.token.client_id }
    }
}

/// Why nobody is authenticated.
#[derive(Debug, thiserror::Error)]
pub enum AuthnError {
    #[error("no bearer token was sent")]
    Missing,
    #[error("the authorization header is no single bearer token")]
    Header,
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is of another tenant than the resource.
    #[error("the token belongs to tenant {token}, the resource to {resource}")]
    OtherTenant { token: TenantId, resource: TenantId },
    #[error("the token's principal does not exist any more")]
    PrincipalGone,
    #[error("the token's principal is disabled")]
    PrincipalDisabled,
    /// Issued before "revoke sessions": the client may get a new one (claims challenge).
    #[error("the token was revoked")]
    Revoked { tokens_valid_from: Timestamp },
    #[error(transparent)]
    Keys(#[from] StoreError),
}

/// Verifies the tokens of one plane.
#[derive(Debug)]
pub struct Authenticator {
    platform: Arc<Platform>,
    audiences: Audiences,
    seen: Cache<[u8; 32], Arc<Verified>>,
}

impl Authenticator {
    #[must_use]
    pub fn new(platform: Arc<Platform>, audiences: Audiences) -> Self {
        Self { platform, audiences, seen: Cache::new(REMEMBERED) }
    }

    /// The caller of a request, by its `Authorization` header.
    ///
    /// # Errors
    /// When there is no token, or it does not hold now.
    pub fn authenticate(&self, snapshot: &Snapshot, headers: &HeaderMap, now: Timestamp) -> Result<Caller, AuthnError> {
        self.authenticate_token(snapshot, bearer_of(headers)?, now)
    }

    /// The caller who holds this token.
    ///
    /// # Errors
    /// When the token does not hold now.
    pub fn authenticate_token(&self, snapshot: &Snapshot, token: &str, now: Timestamp) -> Result<Caller, AuthnError> {
        let keys = self.platform.keyring.at(snapshot)?;
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let verified = match self.seen.get(&name) {
            Some(verified) => {
                still_holds(&verified, |kid| keys.public().holds(kid), now)?;
                verified
            }
            None => {
                let verified = Arc::new(self.verify(snapshot, keys.public(), token, now)?);
                self.seen.insert(name, Arc::clone(&verified));
                verified
            }
        };
        let principal = Arc::clone(snapshot.principal(verified.object_id).ok_or(AuthnError::PrincipalGone)?);
        check_principal(&principal, &verified)?;
        Ok(Caller { token: verified, principal })
    }

    fn verify(&self, snapshot: &Snapshot, keys: &keyless_token::PublicKeys, token: &str, now: Timestamp) -> Result<Verified, AuthnError> {
        let unverified = Unverified::parse(token)?;
        let signed = Signed::check(keys, &unverified)?;
        let base = &self.platform.endpoints.authority;
        let mut refusal = AuthnError::Token(TokenError::Issuer);
        // One process may hold several tenants: each is an issuer of its own, and a token of one never counts in another.
        for tenant in snapshot.tenants() {
            let issuers = [format!("{base}/{}/", tenant.id), format!("{base}/{}/v2.0", tenant.id)];
            let expect = Expect { issuers: &issuers, tenant: tenant.id, audiences: &self.audiences.0, now, leeway_secs: LEEWAY_SECS };
            match signed.accept(&expect) {
                Ok(verified) => return Ok(verified),
                Err(TokenError::Issuer) => {}
                Err(error) => refusal = error.into(),
            }
        }
        Err(refusal)
    }
}

/// What may have changed since a token was verified.
fn still_holds(token: &Verified, holds: impl Fn(&KeyId) -> bool, now: Timestamp) -> Result<(), AuthnError> {
    if !holds(&token.kid) {
        return Err(TokenError::UnknownKey(token.kid.clone()).into());
    }
    if token.expires.plus_secs(LEEWAY_SECS) <= now {
        return Err(TokenError::Expired.into());
    }
    Ok(())
}

fn check_principal(principal: &Principal, token: &Verified) -> Result<(), AuthnError> {
    if principal.tenant != token.tenant {
        return Err(AuthnError::OtherTenant { token: token.tenant, resource: principal.tenant });
    }
    // SECURITY: an object id that came back to life under another client must not inherit the old one's tokens (case 125).
    if principal.client_id.is_some() && principal.client_id != token.client_id {
        return Err(AuthnError::PrincipalGone);
    }
    if token.issued < Timestamp::from_unix_secs(principal.created.unix_secs()) {
        return Err(AuthnError::PrincipalGone);
    }
    if !principal.enabled {
        return Err(AuthnError::PrincipalDisabled);
    }
    match principal.tokens_valid_from {
        Some(from) if token.issued < from => Err(AuthnError::Revoked { tokens_valid_from: from }),
        _ => Ok(()),
    }
}

/// The single bearer token of a request (RFC 6750 section 2.1).
///
/// # Errors
/// When there is none, or the header occurs twice or has another form.
pub fn bearer_of(headers: &HeaderMap) -> Result<&str, AuthnError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthnError::Missing)?;
    // SECURITY: two headers could be read as one thing by a proxy and another by us.
    if values.next().is_some() {
        return Err(AuthnError::Header);
    }
    let text = value.to_str().map_err(|_| AuthnError::Header)?;
    let (scheme, token) = text.split_once(' ').ok_or(AuthnError::Header)?;
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(AuthnError::Header);
    }
    Ok(token)
}
