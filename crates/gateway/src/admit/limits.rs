//! What a deployment's capacity is worth.

use keyless_model::entity::Deployment;

pub(super) const MINUTE_MILLIS: u64 = 60_000;

/// The limits of one budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Tokens per minute.
    pub(crate) tokens: u64,
    /// Calls per `call_period_millis`.
    pub(crate) calls: u64,
    pub(crate) call_period_millis: u64,
}

impl Limits {
    pub(crate) const fn per_minute(tokens: u64, calls: u64) -> Self {
        Self { tokens, calls, call_period_millis: MINUTE_MILLIS }
    }
}

/// The limits that the deployment's capacity is worth; none for one without a capacity.
pub(crate) fn limits_of(deployment: &Deployment) -> Option<Limits> {
    let limits = deployment.rate_limits()?;
    Some(Limits { tokens: limits.tokens, calls: limits.calls, call_period_millis: limits.call_period_secs * 1000 })
}
