//! What every operation carries: who, when, under which request.

use std::net::IpAddr;
use std::sync::Arc;

use crate::{ClientId, ObjectId, RequestId, TenantId, Timestamp};

/// On whose behalf an operation runs. It names the actor for the audit; it grants nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody has proved anything yet.
    Anonymous,
    /// Keyless itself, with the reason (`"bootstrap"`, `"key rotation"`).
    System(&'static str),
    /// A principal whose token was verified.
    Principal { id: ObjectId, tenant: TenantId, client_id: Option<ClientId> },
    /// The holder of an account's API key: no identity, only the key's fingerprint.
    AccountKey { fingerprint: String },
}

impl Actor {
    /// The object id, when the actor is a principal.
    #[must_use]
    pub const fn object_id(&self) -> Option<ObjectId> {
        match self {
            Self::Principal { id, .. } => Some(*id),
            _ => None,
        }
    }
}

/// The context of one operation; handlers make it at the edge and pass it down by reference.
#[derive(Debug, Clone)]
pub struct OpContext {
    pub request_id: RequestId,
    /// The moment the operation began. One operation sees one time.
    pub now: Timestamp,
    pub actor: Actor,
    /// The caller's address, when it came over a network.
    pub source: Option<IpAddr>,
    /// The id that the client gave the request (`x-ms-client-request-id`), checked to be harmless in a header and a log.
    pub client_request_id: Option<Arc<str>>,
}

impl OpContext {
    #[must_use]
    pub const fn new(request_id: RequestId, now: Timestamp, actor: Actor) -> Self {
        Self { request_id, now, actor, source: None, client_request_id: None }
    }
}
