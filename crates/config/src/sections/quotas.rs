//! `[quotas]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use std::num::NonZeroU32;

/// How many of something there may be. Everything is held in memory and loaded at a start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Federated credentials of one identity or application
    #[default(NonZeroU32::new(20).expect("it is not nought"))]
    pub federated_credentials: NonZeroU32,
    /// Capacity, in thousands of tokens per minute, that a subscription's deployments of one model and SKU may take in a location
    #[default(NonZeroU32::new(1_000_000).expect("it is not nought"))]
    pub deployment_capacity: NonZeroU32,
}
