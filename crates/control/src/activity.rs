//! The activity log as the control plane sees it: something that can be asked for control events.

use std::fmt::Debug;

use async_trait::async_trait;
use keyless_audit::AuditEvent;
use keyless_model::{RequestId, Scope, Timestamp};

/// Which control events are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityQuery {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Events about this scope or below.
    pub scope: Scope,
    pub correlation: Option<RequestId>,
    /// The most events to return; the newest are kept.
    pub limit: usize,
}

/// The log cannot be read now.
#[derive(Debug, thiserror::Error)]
#[error("the audit log cannot be read; check the audit folder, then retry")]
pub struct ActivityUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Reads the audit log. The server, which knows where the log is, provides it.
#[async_trait]
pub trait ActivityReader: Debug + Send + Sync {
    /// The control events that match, newest first.
    ///
    /// # Errors
    /// When the log cannot be read. Never an empty list instead.
    async fn control_events(&self, query: &ActivityQuery) -> Result<Vec<AuditEvent>, ActivityUnavailable>;
}
