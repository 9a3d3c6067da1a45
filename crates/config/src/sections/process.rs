//! `[process]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use std::num::NonZeroU16;

use crate::value::{FilePath, TimeSpan};

/// The process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// Threads that answer. Without it, the machine's cores
    pub workers: Option<NonZeroU16>,
    /// Write the system's endpoints and ids to this file once every listener answers
    pub ready_file: Option<FilePath>,
    /// How long running calls may go on after the signal to stop
    #[default(TimeSpan::secs(10))]
    pub drain: TimeSpan,
    /// After the signal to stop, say "not ready" and accept connections for this long before draining, so that a load balancer notices
    pub drain_delay: Option<TimeSpan>,
}
