//! What every plane works on.

use std::sync::Arc;

use keyless_audit::{AuditEvent, AuditSink, AuditUnavailable};
use keyless_directory::Means;
use keyless_model::{Actor, Clock, Entropy, OpContext, RequestId, Timestamp};
use keyless_store::Sealer;
use keyless_store::{Directory, KeyRing};

use crate::{Passwords, Refusals, Refused};

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
    pub refusals: Refusals,
}

impl Platform {
    /// A context for an operation that begins now.
    #[must_use]
    pub fn begin(&self, actor: Actor) -> OpContext {
        OpContext::new(RequestId::new(self.entropy.uuid()), self.clock.now(), actor)
    }

    /// What plans are made with, at `now`.
    #[must_use]
    pub fn means(&self, now: Timestamp) -> Means<'_> {
        Means { now, entropy: &*self.entropy, sealer: &self.sealer }
    }

    /// Records a refusal of a request for which no right was found: written by itself, or counted, see [`Refusals`].
    ///
    /// # Errors
    /// When events cannot be written; the caller must not learn then what it was refused for.
    pub fn refused(&self, refused: Refused<'_>, event: AuditEvent) -> Result<(), AuditUnavailable> {
        match self.admit_refusal(refused, event) {
            Some(event) => self.audit.record(&event),
            None => self.audit.ready(),
        }
    }

    /// The event of a refusal when it is to be written by itself, see [`Refusals::admit`]. While the disk is nearly full all of them are
    /// counted: what is left of it is for those who may do something.
    pub fn admit_refusal(&self, refused: Refused<'_>, event: AuditEvent) -> Option<AuditEvent> {
        let room = self.audit.space().is_none_or(|space| !space.low);
        self.refusals.admit(refused, event, room)
    }

    /// Writes what was counted in the minutes that are over; with `everything` in the running one too. Call it often, and last before
    /// the log is closed.
    ///
    /// # Errors
    /// When events cannot be written; nothing is lost, and the next call tries again.
    pub fn write_counts(&self, everything: bool) -> Result<(), AuditUnavailable> {
        let due = self.refusals.due(self.clock.now(), everything);
        if due.events.is_empty() {
            return Ok(());
        }
        self.audit.record_all(&due.events).inspect_err(|_| self.refusals.give_back(due))
    }
}
