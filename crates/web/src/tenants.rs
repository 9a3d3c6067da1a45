//! Entra tenants whose tokens count here too: which issuers they have, and which keys are at hand to judge a token with.
//!
//! It never fetches by itself: whoever composes the process says where keys come from ([`KeySource`]), and judging a token never
//! waits - when a key is not at hand it says which ([`KeysNeeded`]), and the caller awaits it and asks again.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use keyless_model::{Clock, KeyId, TenantId, Timestamp};
use keyless_token::jwks::ExternalKeys;
use keyless_token::{Algorithm, Expect, LEEWAY_SECS, Signed, TokenError, Unverified, Verified, Version};

use crate::{AuthnError, KeysNeeded, KeysUnavailable};

/// Where tokens of real Entra tenants come from, unless the operator names another authority.
pub const ENTRA: &str = "https://login.microsoftonline.com";
/// How long keys are at hand before the source is asked again. Asking costs a look into its own cache; only the source decides
/// when something is fetched.
const AT_HAND_SECS: i64 = 30;

/// Where the keys of other authorities come from: bounded fetches behind a cache.
#[async_trait]
pub trait KeySource: fmt::Debug + Send + Sync {
    /// The issuer's keys now. They may lack `kid`: then the issuer does not have it.
    ///
    /// # Errors
    /// When the issuer cannot be asked and what it said last is too old.
    async fn keys(&self, issuer: &str, kid: &str) -> Result<Arc<ExternalKeys>, KeysUnavailable>;
}

/// Every tenant of another authority that the operator trusts.
#[derive(Debug)]
pub struct TrustedTenants {
    tenants: Vec<TrustedTenant>,
    source: Arc<dyn KeySource>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct TrustedTenant {
    pub(crate) id: TenantId,
    /// Byte for byte: the v1 and the v2 form.
    issuers: [String; 2],
    at_hand: ArcSwapOption<AtHand>,
}

#[derive(Debug)]
struct AtHand {
    keys: Arc<ExternalKeys>,
    since: Timestamp,
}

/// The issuer of a tenant's v2 tokens, below which its discovery document is (OpenID Connect Discovery 1.0 section 4).
#[must_use]
pub fn v2_issuer(authority: &str, tenant: TenantId) -> String {
    Version::V2.issuer(authority, tenant)
}

/// The issuer of its v1 tokens. It is on a host of its own, where no keys are published.
fn v1_issuer(authority: &str, tenant: TenantId) -> String {
    let host = match authority {
        "https://login.chinacloudapi.cn" | "https://login.partner.microsoftonline.cn" => "sts.chinacloudapi.cn",
        // An authority that the operator named stands in for Entra, issuer names included.
        _ => "sts.windows.net",
    };
    format!("https://{host}/{tenant}/")
}

impl TrustedTenants {
    /// Tenants of `authority`, a URL without a trailing slash such as [`ENTRA`].
    #[must_use]
    pub fn new(authority: &str, tenants: &[TenantId], source: Arc<dyn KeySource>) -> Self {
        let trusted =
            |&id| TrustedTenant { id, issuers: [v1_issuer(authority, id), v2_issuer(authority, id)], at_hand: ArcSwapOption::empty() };
        Self { tenants: tenants.iter().map(trusted).collect(), source }
    }

    pub fn ids(&self) -> impl Iterator<Item = TenantId> {
        self.tenants.iter().map(|tenant| tenant.id)
    }

    pub(crate) fn find(&self, id: TenantId) -> Option<&TrustedTenant> {
        self.tenants.iter().find(|tenant| tenant.id == id)
    }

    /// The tenant that a token says it comes from. It only chooses whose keys are tried.
    pub(crate) fn stated_by(&self, token: &Unverified<'_>) -> Option<&TrustedTenant> {
        let claims = token.stated_claims().ok()?;
        let issuer = claims.text("iss")?;
        self.tenants.iter().find(|tenant| tenant.issuers.iter().any(|own| own == issuer))
    }

    /// Waits for the keys, and says whether the wanted one is among them.
    pub(crate) async fn learn(&self, needed: &KeysNeeded, clock: &dyn Clock) -> Result<(), AuthnError> {
        let unknown = || AuthnError::Token(TokenError::UnknownKey(needed.kid.clone()));
        let tenant = self.find(needed.tenant).ok_or_else(unknown)?;
        let [_, issuer] = &tenant.issuers;
        let keys = self.source.keys(issuer, needed.kid.as_str()).await;
        let keys = keys.map_err(|source| AuthnError::TenantKeys { tenant: tenant.id, source })?;
        let known = keys.names(needed.kid.as_str());
        tenant.at_hand.store(Some(Arc::new(AtHand { keys, since: clock.now() })));
        if known { Ok(()) } else { Err(unknown()) }
    }
}

impl TrustedTenant {
    /// Judges a token that says it comes from this tenant.
    pub(crate) fn verify(&self, token: &Unverified<'_>, audiences: &[String], now: Timestamp) -> Result<Verified, AuthnError> {
        // SECURITY: before any key is looked for: nothing is fetched for a token that no key could make good.
        if token.algorithm() != Algorithm::RS256 {
            return Err(TokenError::Algorithm.into());
        }
        let kid = token.kid().and_then(|kid| KeyId::new(kid).ok()).ok_or(TokenError::Malformed("no kid"))?;
        let keys = self.keys_with(&kid, now)?;
        // SECURITY: Entra publishes keys of several authorities in one set and says in each whose tokens it signs.
        let [_, own] = &self.issuers;
        if keys.issuer_of(kid.as_str()).is_some_and(|issuer| issuer.replace("{tenantid}", &self.id.to_string()) != *own) {
            return Err(TokenError::Issuer.into());
        }
        let signed = Signed::check_external(&keys, token)?;
        Ok(signed.accept(&Expect { issuers: &self.issuers, tenant: self.id, audiences, now, leeway_secs: LEEWAY_SECS })?)
    }

    /// Keys among which is `kid`, without waiting.
    pub(crate) fn keys_with(&self, kid: &KeyId, now: Timestamp) -> Result<Arc<ExternalKeys>, AuthnError> {
        let at_hand = self.at_hand.load();
        // A request keeps the moment of its arrival, so it may be older than keys that it waited for itself.
        let fresh = at_hand.as_ref().filter(|at_hand| now.millis_since(at_hand.since).abs() < AT_HAND_SECS * 1000);
        match fresh.filter(|at_hand| at_hand.keys.names(kid.as_str())) {
            Some(at_hand) => Ok(Arc::clone(&at_hand.keys)),
            None => Err(AuthnError::KeysNeeded(KeysNeeded { tenant: self.id, kid: kid.clone() })),
        }
    }
}
