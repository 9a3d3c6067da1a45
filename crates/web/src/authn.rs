//! Bearer tokens to callers.
//!
//! A token is verified in full once and then known by its SHA-256; everything that can change after issuance - the key's
//! state, the principal, revocation - is asked of the current snapshot on every call. So a token only identifies.
//!
//! Tokens of Entra tenants that the operator trusts are judged the same way with that tenant's keys, on planes that are told to
//! ([`Authenticator::trusting`]). Their holders are guests: principals that the directory knows by tenant and object id.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use keyless_model::entity::{Principal, PrincipalKind};
use keyless_model::{Actor, Timestamp};
use keyless_store::Snapshot;
use keyless_token::{Expect, LEEWAY_SECS, PublicKeys, Signed, TokenError, TokenKind, Unverified, Verified, Version};
use quick_cache::sync::Cache;

use crate::tenants::TrustedTenants;
use crate::{AuthnError, KeysNeeded, Platform};

/// Verified tokens remembered; about 500 bytes each.
const REMEMBERED: usize = 20_000;
/// The only delegated permission that Azure's resources define. A guest's token with less must not count as one with all.
const DELEGATED: &str = "user_impersonation";

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
        // A guest is named with the tenant it comes from: object ids are unique within a tenant only.
        Actor::Principal { id: self.principal.id, tenant: self.token.tenant, client_id: self.token.client_id }
    }
}

/// Verifies the tokens of one plane.
#[derive(Debug)]
pub struct Authenticator {
    platform: Arc<Platform>,
    audiences: Audiences,
    trusted: Option<Arc<TrustedTenants>>,
    seen: Cache<[u8; 32], Known>,
}

/// A token that was verified before.
#[derive(Debug, Clone)]
struct Known {
    token: Arc<Verified>,
    origin: Origin,
}

/// Whose keys a token was verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Own,
    /// A trusted tenant's: its holder is a guest.
    Guest,
}

impl Authenticator {
    /// Takes this system's own tokens and no others.
    #[must_use]
    pub fn new(platform: Arc<Platform>, audiences: Audiences) -> Self {
        Self { platform, audiences, trusted: None, seen: Cache::new(REMEMBERED) }
    }

    /// Takes tokens of these tenants too.
    #[must_use]
    pub fn trusting(self, trusted: Option<Arc<TrustedTenants>>) -> Self {
        Self { trusted, ..self }
    }

    /// The caller of a request, by its `Authorization` header.
    ///
    /// # Errors
    /// When there is no token, or it does not hold now.
    pub fn authenticate(&self, snapshot: &Snapshot, headers: &HeaderMap, now: Timestamp) -> Result<Caller, AuthnError> {
        self.authenticate_token(snapshot, bearer_of(headers)?, now)
    }

    /// The caller who holds this token. Never waits.
    ///
    /// # Errors
    /// When the token does not hold now; [`AuthnError::KeysNeeded`] when that cannot be said yet.
    pub fn authenticate_token(&self, snapshot: &Snapshot, token: &str, now: Timestamp) -> Result<Caller, AuthnError> {
        let keys = self.platform.keyring.at(snapshot)?;
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let known = match self.seen.get(&name) {
            Some(known) => {
                self.still_holds(&known, keys.public(), now)?;
                known
            }
            None => {
                let known = self.verify(snapshot, keys.public(), token, now)?;
                self.seen.insert(name, known.clone());
                known
            }
        };
        let principal = principal_of(snapshot, &known)?;
        Ok(Caller { token: known.token, principal })
    }

    /// Whether a caller of [`Authenticator::authenticate_token`] would be one still, if it were `now` as late as then. A guest's keys are not
    /// asked again: they are another system's, and may not be at hand.
    ///
    /// # Errors
    /// When the token was revoked, its key retired, or its principal disabled or deleted.
    pub fn authenticate_again(&self, snapshot: &Snapshot, caller: &Caller, now: Timestamp) -> Result<(), AuthnError> {
        let origin = if caller.principal.home.is_some() { Origin::Guest } else { Origin::Own };
        let known = Known { token: Arc::clone(&caller.token), origin };
        if origin == Origin::Own {
            self.still_holds(&known, self.platform.keyring.at(snapshot)?.public(), now)?;
        }
        principal_of(snapshot, &known).map(|_| ())
    }

    /// Waits until a token can be judged that could not be for want of a key; ask again then. Bounded: the source of keys has a
    /// deadline, and asks an issuer once in a while only.
    ///
    /// # Errors
    /// When the key does not exist, or nobody can say.
    pub async fn fetch_keys(&self, needed: &KeysNeeded) -> Result<(), AuthnError> {
        match &self.trusted {
            Some(trusted) => trusted.learn(needed, &*self.platform.clock).await,
            None => Err(AuthnError::KeysNeeded(needed.clone())),
        }
    }

    fn verify(&self, snapshot: &Snapshot, keys: &PublicKeys, token: &str, now: Timestamp) -> Result<Known, AuthnError> {
        let unverified = Unverified::parse(token)?;
        if let Some(tenant) = self.trusted.as_ref().and_then(|trusted| trusted.stated_by(&unverified)) {
            let token = Arc::new(tenant.verify(&unverified, &self.audiences.0, now)?);
            return Ok(Known { token, origin: Origin::Guest });
        }
        let signed = Signed::check(keys, &unverified)?;
        let base = &self.platform.endpoints.authority;
        let mut refusal = AuthnError::Token(TokenError::Issuer);
        // One process may hold several tenants: each is an issuer of its own, and a token of one never counts in another.
        for tenant in snapshot.tenants() {
            let issuers = [Version::V1, Version::V2].map(|version| version.issuer(base, tenant.id));
            let expect = Expect { issuers: &issuers, tenant: tenant.id, audiences: &self.audiences.0, now, leeway_secs: LEEWAY_SECS };
            match signed.accept(&expect) {
                Ok(token) => return Ok(Known { token: Arc::new(token), origin: Origin::Own }),
                Err(TokenError::Issuer) => {}
                Err(error) => refusal = error.into(),
            }
        }
        Err(refusal)
    }

    /// What may have changed since a token was verified.
    fn still_holds(&self, known: &Known, own: &PublicKeys, now: Timestamp) -> Result<(), AuthnError> {
        let token = &known.token;
        let unknown = || AuthnError::Token(TokenError::UnknownKey(token.kid.clone()));
        match known.origin {
            Origin::Own if !own.holds(&token.kid) => return Err(unknown()),
            Origin::Own => {}
            Origin::Guest => {
                let tenant = self.trusted.as_ref().and_then(|trusted| trusted.find(token.tenant)).ok_or_else(unknown)?;
                tenant.keys_with(&token.kid, now)?;
            }
        }
        if token.expires.plus_secs(LEEWAY_SECS) <= now {
            return Err(TokenError::Expired.into());
        }
        Ok(())
    }
}

/// Who the token's holder is now.
fn principal_of(snapshot: &Snapshot, known: &Known) -> Result<Arc<Principal>, AuthnError> {
    let token = &known.token;
    let found = snapshot.principal(token.object_id);
    let principal = match known.origin {
        Origin::Own => {
            // SECURITY: our own authority never speaks for a guest.
            let principal = found.filter(|found| found.home.is_none()).ok_or(AuthnError::PrincipalGone)?;
            check_own(snapshot, principal, token)?;
            principal
        }
        Origin::Guest => {
            // SECURITY: an object id is unique within its tenant only, and a tenant may speak for its own guests alone.
            let unknown = || AuthnError::NoGuest { tenant: token.tenant, object_id: token.object_id };
            let principal = found.filter(|found| found.home == Some(token.tenant)).ok_or_else(unknown)?;
            check_guest(principal, token)?;
            principal
        }
    };
    if !principal.enabled {
        return Err(AuthnError::PrincipalDisabled);
    }
    match principal.tokens_valid_from {
        Some(from) if token.issued < from => Err(AuthnError::Revoked { tokens_valid_from: from }),
        _ => Ok(Arc::clone(principal)),
    }
}

fn check_own(snapshot: &Snapshot, principal: &Principal, token: &Verified) -> Result<(), AuthnError> {
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
    // SECURITY: the sign-in behind it must still count. It was ended - a code that was brought twice, a refresh token that was stolen -
    // or its line is gone, which may have said so.
    let Some(session) = token.session else { return Ok(()) };
    match snapshot.refresh_family(session).filter(|line| line.user == principal.id && !line.revoked) {
        Some(_) => Ok(()),
        None => Err(AuthnError::Revoked { tokens_valid_from: token.issued.plus_secs(1) }),
    }
}

/// A guest's token may be older than the guest: its tenant never gives an object id to anyone else.
fn check_guest(principal: &Principal, token: &Verified) -> Result<(), AuthnError> {
    let kind = match token.kind {
        TokenKind::User => PrincipalKind::User,
        TokenKind::Application => PrincipalKind::ServicePrincipal,
    };
    if principal.kind != kind {
        return Err(AuthnError::GuestKind(principal.id));
    }
    if token.kind == TokenKind::User && !token.scopes.iter().any(|scope| scope == DELEGATED) {
        return Err(AuthnError::GuestScope);
    }
    Ok(())
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
