//! `[audit]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use crate::value::{ByteSize, TimeSpan};

/// The audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Flush every audit event to disk before its call ends, rather than every 100 ms
    pub strict_durability: bool,
    /// Remove audit files whose events are all older than this. Without it, they are kept
    pub keep: Option<TimeSpan>,
    /// Remove the oldest audit files beyond this size of all, such as 50GB. Without it, they are kept
    pub max_size: Option<ByteSize>,
    /// Remove no audit file for the size of all whose last event is younger than this
    #[default(TimeSpan::secs(7 * 86_400))]
    pub spare: TimeSpan,
}
