//! What an operator may set about the authority. It does not know where the values come from.

use std::ops::RangeInclusive;

/// The authority's settings. Every default has its reason in `docs/security/defaults.md`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Lifetime of an application's access token in seconds, chosen at random in this range: workloads that started together then
    /// do not come back together.
    pub app_token_secs: RangeInclusive<i64>,
    /// How long caches may keep the key set, in seconds.
    pub jwks_max_age_secs: u32,
    /// Audiences outside this system that tokens may be issued for (workload identity federation elsewhere).
    pub federation_audiences: Vec<String>,
    /// Wrong credentials that a client may send in one minute before it is told to wait.
    pub failures_per_minute: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            app_token_secs: 3600..=3900,
            jwks_max_age_secs: 3600,
            federation_audiences: vec![keyless_wire::oauth::TOKEN_EXCHANGE_AUDIENCE.to_owned()],
            failures_per_minute: 60,
        }
    }
}
