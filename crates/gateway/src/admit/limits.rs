//! What a deployment's capacity is worth.

use keyless_model::entity::Deployment;

pub(super) const MINUTE_MILLIS: u64 = 60_000;
const TEN_SECONDS_MILLIS: u64 = 10_000;

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

/// One unit of capacity is 1,000 tokens per minute, and per unit a number of calls that depends on the model (Azure's quota page).
/// A deployment without a capacity is unlimited.
pub(crate) fn limits_of(deployment: &Deployment) -> Option<Limits> {
    let capacity = u64::from(deployment.sku.capacity?);
    let (tokens, model) = (capacity * 1000, deployment.model.name.as_str());
    let starts = |names: &[&str]| names.iter().any(|name| model.starts_with(name));
    // The order matters: `o1-mini` is no `o1`.
    let calls = if starts(&["o1-mini", "o3-mini"]) {
        capacity / 10
    } else if starts(&["o1"]) {
        capacity / 6
    } else if starts(&["o3", "o4-mini", "gpt-4.1", "gpt-5"]) {
        capacity
    } else {
        // Older models: six a minute for each unit, counted over ten seconds.
        return Some(Limits { tokens, calls: capacity.max(1), call_period_millis: TEN_SECONDS_MILLIS });
    };
    Some(Limits::per_minute(tokens, calls.max(1)))
}
