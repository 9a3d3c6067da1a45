//! `[keys]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use crate::value::TimeSpan;

/// The keys that sign tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// How long a key signs tokens before the next one takes over
    #[default(TimeSpan::secs(30 * 86_400))]
    pub rotate_every: TimeSpan,
    /// How long a key is published before it signs; verifiers may keep the key set for half of that, at most an hour
    #[default(TimeSpan::secs(86_400))]
    pub publish_ahead: TimeSpan,
}
