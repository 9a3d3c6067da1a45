//! What every plane works on.

use std::sync::Arc;

use keyless_audit::AuditSink;
use keyless_model::{Actor, Clock, Entropy, OpContext, RequestId};
use keyless_store::sealer::Sealer;
use keyless_store::{Directory, KeyRing};

use crate::Passwords;

/// The public addresses of the system, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Where tokens are issued, such as `https://localhost:8443`. Part of every token's issuer: changing it ends all tokens.
    pub authority: String,
    /// ARM and Graph.
    pub control: String,
    /// Accounts are at `{gateway}/ai/{name}`.
    pub gateway: String,
    /// Managed-identity endpoints, such as `http://127.0.0.1:8440`.
    pub metadata: String,
    /// Where a wildcard domain is configured, accounts are also at `https://{name}.openai.{domain}`.
    pub wildcard_domain: Option<String>,
}

/// The directory and the services around it. One per process; planes hold it by `Arc`.
#[derive(Debug)]
pub struct Platform {
    pub directory: Directory,
    pub keyring: KeyRing,
    pub sealer: Arc<Sealer>,
    pub audit: Arc<dyn AuditSink>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub endpoints: Endpoints,
    pub passwords: Passwords,
}

impl Platform {
    /// A context for an operation that begins now.
    #[must_use]
    pub fn begin(&self, actor: Actor) -> OpContext {
        OpContext::new(RequestId::new(self.entropy.uuid()), self.clock.now(), actor)
    }
}
