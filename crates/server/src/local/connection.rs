//! What the owner's door gives access to, and who is at the other end of one of its connections.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use keyless_authority::{Issuer, KeyRotation};
use keyless_gateway::Gateway;
use keyless_metadata::Metadata;
use keyless_model::{Scope, TenantId, Timestamp};
use keyless_rbac::SystemRight;
use keyless_store::audit_log::AuditLog;
use keyless_web::Platform;
use tokio::sync::Semaphore;

use super::api::{LocalError, SignInStatus, UpstreamStatus};
use crate::data::DataFolder;
use crate::operations::Operations;

/// What the local socket gives access to.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) audit: Arc<AuditLog>,
    pub(crate) platform: Arc<Platform>,
    /// Who reaches the socket owns the system.
    pub(crate) system: SystemRight,
    pub(crate) metadata: Arc<Metadata>,
    pub(crate) issuer: Issuer,
    pub(crate) rotation: KeyRotation,
    pub(crate) facts: Facts,
    pub(crate) data: DataFolder,
    /// How many connections there may be; each lent program has one.
    pub(crate) connections: Arc<Semaphore>,
}

/// One connection: who is there, and what was lent for as long as it lasts.
pub(crate) struct Guest<'a> {
    door: &'a Door,
    pub(crate) uid: u32,
    lent: Mutex<Vec<String>>,
}

impl<'a> Guest<'a> {
    pub(super) fn new(door: &'a Door, uid: u32) -> Self {
        Self { door, uid, lent: Mutex::default() }
    }

    /// Ties an attachment to this connection.
    pub(crate) fn holds(&self, attachment: String) {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner).push(attachment);
    }
}

impl Drop for Guest<'_> {
    /// SECURITY: the kernel closes the connection however its process ends, so a lent identity cannot outlive the borrower.
    fn drop(&mut self) {
        for id in self.lent.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            self.door.metadata.attachments().detach(&id);
        }
    }
}

/// What is fixed once the system has started.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) started: Timestamp,
    pub(crate) gateway_http: Option<String>,
    pub(crate) operations_url: String,
    pub(crate) ca_file: String,
    pub(crate) ca_bundle: String,
    pub(crate) host: Scope,
    pub(crate) operations: Arc<Operations>,
    pub(crate) sign_in: Option<SignInStatus>,
    pub(crate) upstreams: Arc<RwLock<Vec<UpstreamStatus>>>,
    pub(crate) gateway: Arc<Gateway>,
    /// Entra tenants whose guests' tokens count.
    pub(crate) trusted_tenants: Vec<TenantId>,
    /// How long a token lives that the owner asks for on the command line.
    pub(crate) owner_token_secs: i64,
}

pub(super) fn refusal(message: impl Into<String>) -> LocalError {
    LocalError { message: message.into() }
}
