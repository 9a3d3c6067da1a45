//! `[listen]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use crate::value::ListenAddress;

/// Where the system listens: on this machine only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// HTTPS for all planes; 0 takes a free port
    #[default(ListenAddress::localhost(8443))]
    pub https: ListenAddress,
    /// Plain HTTP for managed identities; 0 takes a free port. Without it, localhost:8440, or a free port when HTTPS is not at 8443
    pub metadata: Option<ListenAddress>,
    /// Health and metrics; 0 takes a free port. Without it, localhost:8441, or a free port when HTTPS is not at 8443
    pub operations: Option<ListenAddress>,
    /// The gateway in plain HTTP too, for use behind a TLS terminator on this machine
    pub gateway_http: Option<ListenAddress>,
    /// Accounts are also served at NAME.openai.DOMAIN of this domain, whose certificate the TLS terminator holds
    pub wildcard_domain: Option<String>,
}

impl Listen {
    #[must_use]
    pub fn metadata(&self) -> ListenAddress {
        self.metadata.unwrap_or_else(|| self.usual(8440))
    }

    #[must_use]
    pub fn operations(&self) -> ListenAddress {
        self.operations.unwrap_or_else(|| self.usual(8441))
    }

    /// A system with a port of its own does not fight another one for the usual ports.
    const fn usual(&self, port: u16) -> ListenAddress {
        ListenAddress::localhost(if self.https.port() == 8443 { port } else { 0 })
    }
}
