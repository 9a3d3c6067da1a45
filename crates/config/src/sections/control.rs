//! `[control]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use std::num::NonZeroU16;

/// The control plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// The name under which `az cloud register` files this system
    #[default = "keyless"]
    pub cloud_name: String,
    /// Rows of a list's page when the client does not say
    #[default(NonZeroU16::new(1000).expect("it is not nought"))]
    pub page_size: NonZeroU16,
}
