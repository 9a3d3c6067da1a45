//! `[gateway]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use std::num::{NonZeroU32, NonZeroU64};

use crate::value::ByteSize;

/// Calls of models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
    /// What serves a deployment whose model no upstream names. It is an upstream, or `detect` (a server that already answers on this machine,
    /// else the built-in responder), `smollm2` (a small real model, about 130 MB, once) or `built-in` (a responder, which says that it is
    /// no model). Without it, the upstream `default`; `detect` when there is no upstream at all
    pub default_upstream: Option<String>,
    /// Tokens that one identity may use of one deployment in a minute. Without it, as many as the deployment has
    pub identity_tokens_per_minute: Option<NonZeroU64>,
    /// Calls that one identity may make of one deployment in a minute. Without it, as many as the deployment has
    pub identity_requests_per_minute: Option<NonZeroU64>,
    /// The most calls under way at a time, answers included; 16384 at most, because the audit log keeps no more events, and no more than there are descriptors for
    #[default(NonZeroU32::new(16_384).expect("it is not nought"))]
    pub max_calls: NonZeroU32,
    /// The most calls under way of one caller
    #[default(NonZeroU32::new(2_048).expect("it is not nought"))]
    pub max_calls_of_one: NonZeroU32,
    /// The largest request body
    #[default(ByteSize::mebibytes(32))]
    pub max_request: ByteSize,
    /// The most of all request bodies that is in memory at any time; a caller may hold a quarter of it
    #[default(ByteSize::mebibytes(256))]
    pub body_memory: ByteSize,
}
