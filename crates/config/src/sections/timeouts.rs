//! `[timeouts]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use crate::value::TimeSpan;

/// How long each stage may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For a client's TLS handshake
    #[default(TimeSpan::secs(10))]
    pub handshake: TimeSpan,
    /// For a client to send the head of a request, and for its first request at all: longer is a slow loris
    #[default(TimeSpan::secs(10))]
    pub head: TimeSpan,
    /// Between two calls on an HTTP/2 connection
    #[default(TimeSpan::secs(60))]
    pub idle_connection: TimeSpan,
    /// How long a client may take nothing of what is ready for it
    #[default(TimeSpan::secs(60))]
    pub unread_connection: TimeSpan,
    /// For a call of the authority or the control plane, its body included
    #[default(TimeSpan::secs(60))]
    pub plane: TimeSpan,
    /// To a connection with a model server: its name, TCP and TLS together
    #[default(TimeSpan::secs(5))]
    pub upstream_connect: TimeSpan,
    /// From a request to the head of the model server's answer. A model may think for minutes before it says anything
    #[default(TimeSpan::secs(600))]
    pub upstream_first_byte: TimeSpan,
    /// Between two pieces of a model server's answer
    #[default(TimeSpan::secs(300))]
    pub upstream_idle: TimeSpan,
    /// How long an unused connection to a model server is kept; uvicorn and llama.cpp close theirs after five seconds
    #[default(TimeSpan::secs(4))]
    pub upstream_pool: TimeSpan,
    /// For a caller to send what must be read of a request before it can be forwarded
    #[default(TimeSpan::secs(60))]
    pub request_body: TimeSpan,
    /// Between two pieces of a request whose beginning is with the model server
    #[default(TimeSpan::secs(30))]
    pub upload_idle: TimeSpan,
    /// How long a piece of a model's answer may wait for a caller who does not read
    #[default(TimeSpan::secs(60))]
    pub unread_answer: TimeSpan,
    /// From the arrival of a model call to the end of its answer
    #[default(TimeSpan::secs(3600))]
    pub call: TimeSpan,
}
