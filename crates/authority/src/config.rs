//! What an operator may set about the authority. It does not know where the values come from.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::federation::{HttpFetch, HttpPost, TrustedIssuer};
use crate::provider::SignInProvider;

/// Whether a client assertion may be used more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AssertionReuse {
    /// From the address that used it first, until it expires: MSAL for Python and JavaScript keep an assertion for nine minutes.
    #[default]
    SameAddress,
    /// Never.
    Never,
}

/// What a client assertion must be addressed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AssertionAudience {
    /// The issuer, or the token endpoint's URL as MSAL sends it.
    #[default]
    IssuerOrEndpoint,
    /// The issuer only (RFC 7523bis).
    Issuer,
}

/// The authority's settings. Every default has its reason in `docs/security/defaults.md`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Lifetime of an application's access token in seconds, chosen at random in this range: workloads that started together then
    /// do not come back together.
    pub app_token_secs: RangeInclusive<i64>,
    /// The same for a person's access token.
    pub user_token_secs: RangeInclusive<i64>,
    /// Lifetime of an id token in seconds: it is read once.
    pub id_token_secs: i64,
    /// Lifetime of a token for somebody else's audience in seconds. Short: what is revoked here ends there by time only.
    pub outside_token_secs: i64,
    /// A line of refresh tokens that is not used for so many seconds ends.
    pub sign_in_idle_secs: i64,
    /// No line lives for more seconds than this from its sign-in.
    pub sign_in_secs: i64,
    /// How long caches may keep the key set, in seconds.
    pub jwks_max_age_secs: u32,
    /// Audiences outside this system for which workloads may get tokens by themselves (workload identity federation elsewhere).
    pub federation_audiences: Vec<String>,
    /// Own resources whose tokens are signed with ES256 where such a key is active: signing is many times cheaper. Only for resources
    /// whose clients and verifiers allow it; Azure's treat tokens as opaque, other verifiers may know RS256 only.
    pub es256_audiences: Vec<String>,
    /// Wrong credentials that a client may send in one minute before it is told to wait.
    pub failures_per_minute: u32,
    /// Assertions in use at once, over all nodes. At a lifetime of ten minutes a million is 1,600 a second, and some 100 MB of disk (F22).
    pub assertions: u64,
    /// The part of it that one client may take: it leaves room for the others, whatever it signs.
    pub assertions_per_client: u32,
    pub assertion_reuse: AssertionReuse,
    pub assertion_audience: AssertionAudience,
    /// External issuers that the operator named.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Certificates (DER) under which the hosts of other external issuers are trusted: the system's roots. Without any, no such
    /// issuer can be reached.
    pub root_certificates: Vec<Vec<u8>>,
    /// Fetches external issuers' documents; [`crate::PublicWeb`] under the roots above when absent.
    pub fetch: Option<Arc<dyn HttpFetch>>,
    /// Where people may sign in instead of with a password.
    pub sign_in_with: Option<SignInProvider>,
    /// Reaches that provider; [`crate::PublicWeb`] under the roots above when absent.
    pub provider_web: Option<Arc<dyn HttpPost>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            app_token_secs: 3600..=3900,
            user_token_secs: 3600..=5400,
            id_token_secs: 3600,
            outside_token_secs: 15 * 60,
            sign_in_idle_secs: 14 * 86_400,
            sign_in_secs: 90 * 86_400,
            jwks_max_age_secs: 3600,
            federation_audiences: vec![keyless_wire::oauth::TOKEN_EXCHANGE_AUDIENCE.to_owned()],
            es256_audiences: Vec::new(),
            failures_per_minute: 60,
            assertions: 1_000_000,
            assertions_per_client: 50_000,
            assertion_reuse: AssertionReuse::default(),
            assertion_audience: AssertionAudience::default(),
            trusted_issuers: Vec::new(),
            root_certificates: Vec::new(),
            fetch: None,
            sign_in_with: None,
            provider_web: None,
        }
    }
}
