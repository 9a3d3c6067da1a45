//! `[metadata]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use std::num::NonZeroU32;

/// Managed-identity endpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Metadata {
    /// Fresh tokens per second and caller; remembered ones are not counted
    #[default(NonZeroU32::new(20).expect("it is not nought"))]
    pub fresh_tokens_per_second: NonZeroU32,
}
