//! What a deployment's capacity is worth. The gateway enforces it and the control plane states it, both from here.

use super::Deployment;

/// The limits of one deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Tokens per minute.
    pub tokens: u64,
    /// Calls per `call_period_secs`.
    pub calls: u64,
    pub call_period_secs: u64,
}

const MINUTE: u64 = 60;
const TEN_SECONDS: u64 = 10;

impl Deployment {
    /// One unit of capacity is 1,000 tokens per minute, and per unit a number of calls that depends on the model (Azure's quota
    /// page). A deployment without a capacity is unlimited.
    #[must_use]
    pub fn rate_limits(&self) -> Option<RateLimits> {
        let capacity = u64::from(self.sku.capacity?);
        let (tokens, model) = (capacity.saturating_mul(1000), self.model.name.as_str());
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
            return Some(RateLimits { tokens, calls: capacity.max(1), call_period_secs: TEN_SECONDS });
        };
        Some(RateLimits { tokens, calls: calls.max(1), call_period_secs: MINUTE })
    }
}
