//! `[state]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

/// The state database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// Start without these documents, as KIND/ID, which cannot be read; the audit log says so
    pub without: Vec<String>,
}
