//! What is recorded of one operation. Holds no secret and no content of a prompt or an answer, by construction: there is no
//! field for one.

use std::borrow::Cow;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use keyless_model::{Actor, AssignmentId, ClientId, DenyAssignmentId, ObjectId, OpContext, RequestId, RoleId, Scope, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Anchor;

/// The plane an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Category {
    /// A change of the directory, or the refusal of one.
    Control,
    /// A call of a model.
    Data,
    /// A token asked for: issued or refused.
    Token,
    /// Keyless itself: start, stop, recovery, rotation.
    System,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Allowed,
    /// Refused by authentication, policy or budget.
    Denied,
    /// Allowed, and then something broke.
    Failed,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ActorRecord {
    Anonymous,
    System {
        reason: Cow<'static, str>,
    },
    #[serde(rename_all = "camelCase")]
    Principal {
        object_id: ObjectId,
        tenant: TenantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<ClientId>,
    },
    AccountKey {
        fingerprint: String,
    },
}

impl From<&Actor> for ActorRecord {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Anonymous => Self::Anonymous,
            Actor::System(reason) => Self::System { reason: Cow::Borrowed(reason) },
            Actor::Principal { id, tenant, client_id } => Self::Principal { object_id: *id, tenant: *tenant, client_id: *client_id },
            Actor::AccountKey { fingerprint } => Self::AccountKey { fingerprint: fingerprint.clone() },
        }
    }
}

/// Why it was allowed or refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionRecord {
    pub allowed: bool,
    /// One sentence that a person understands.
    pub because: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via_group: Option<ObjectId>,
    /// The deny assignment that refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<DenyAssignmentId>,
}

impl DecisionRecord {
    /// Allowed for a reason that no assignment stands for.
    pub fn allowed(because: impl Into<Cow<'static, str>>) -> Self {
        Self { allowed: true, because: because.into(), ..Self::default() }
    }

    /// Refused for a reason that no assignment stands for.
    pub fn refused(because: impl Into<Cow<'static, str>>) -> Self {
        Self { allowed: false, because: because.into(), ..Self::default() }
    }
}

/// A call of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataDetail {
    /// Azure Monitor's operation name, such as `ChatCompletions_Create`.
    pub api: Cow<'static, str>,
    /// The data action that was decided; none when the path names no operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<Arc<str>>,
    pub streamed: bool,
    /// `uti` of the token, to follow one token through the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    pub request_bytes: u64,
    pub response_bytes: u64,
    /// From the arrival of the request to the end of the answer.
    pub latency_micros: u64,
    /// The client went away before the answer ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

/// A change: what was, and what is. Secrets are never in these documents: entities hold them sealed or hashed, and redaction
/// removes even that.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlDetail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<serde_json::Value>,
}

/// A token asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenDetail {
    /// `client_credentials`, `managed_identity`, `device_code`, …
    pub grant: Cow<'static, str>,
    /// `secret`, `certificate`, `federated`, `identity_header`, `imds`, `local_socket`, …
    pub credential: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// AADSTS number or IMDS error code of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'static, str>>,
}

/// Refusals of one kind that were counted together, see `keyless_web::Refusals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repeated {
    pub number: u64,
    /// The time of the first of them.
    pub since: Timestamp,
}

/// One line of the audit log, before it is chained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    pub time: Timestamp,
    pub request_id: RequestId,
    /// The id that the client itself gave the request, when it did and the id is harmless. Many requests may share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<Arc<str>>,
    pub category: Category,
    /// `Microsoft.Authorization/roleAssignments/write`, `ChatCompletions_Create`, `Token_Issue`, `System_Start`, …
    pub operation: Cow<'static, str>,
    pub outcome: Outcome,
    pub actor: ActorRecord,
    /// The directory revision that a change made; with the request id it names the change, in the outbox and in the log alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// What it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Scope>,
    /// The region of the account it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionRecord>,
    /// The HTTP status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The line stands for several refusals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataDetail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlDetail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenDetail>,
}

impl AuditEvent {
    /// An event of this operation, with who and when taken from its context and nothing else said yet.
    #[must_use]
    pub fn new(ctx: &OpContext, category: Category, operation: impl Into<Cow<'static, str>>, outcome: Outcome) -> Self {
        Self {
            time: ctx.now,
            request_id: ctx.request_id,
            client_request_id: ctx.client_request_id.clone(),
            category,
            operation: operation.into(),
            outcome,
            actor: ActorRecord::from(&ctx.actor),
            revision: None,
            source: ctx.source,
            target: None,
            location: None,
            decision: None,
            status: None,
            repeated: None,
            data: None,
            control: None,
            token: None,
        }
    }
}

/// The event could not be handed to the operating system; the call it belongs to must be refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the audit log cannot be written, so no call is answered: {reason}; free disk space or repair the audit folder")]
pub struct AuditUnavailable {
    pub reason: String,
}

/// The disk under a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Of the log itself.
    pub used: u64,
    /// What others left on the disk.
    pub free: u64,
    /// So little is left that it is kept for those who may do something.
    pub low: bool,
    /// The log is larger than its owner wished, because everything in it is too young to be removed for its size.
    pub over: bool,
    /// A reader of it met a line that is not as it was written.
    pub changed: bool,
}

/// The most events that a sink keeps in memory until they can be written. Whoever hands answers out has no more than these under way.
pub const MOST_KEPT: usize = 16_384;

/// Where events go. An implementation returns only after the event was written (not merely queued).
pub trait AuditSink: Debug + Send + Sync {
    /// Appends the event to the chain.
    ///
    /// # Errors
    /// When it could not be written; the caller must then refuse the call.
    fn record(&self, event: &AuditEvent) -> Result<(), AuditUnavailable>;

    /// Appends events that came up together, in this order. A sink that can writes them at once.
    ///
    /// # Errors
    /// When not all of them could be written; the callers of all must then be refused.
    fn record_all(&self, events: &[AuditEvent]) -> Result<(), AuditUnavailable> {
        events.iter().try_for_each(|event| self.record(event))
    }

    /// Takes an event that could not be written though it tells of what has happened, such as an answer of which a part has left. It is
    /// written now or, while nothing can be, kept in memory and written in order as soon as something can. Does not wait for the disk.
    ///
    /// # Errors
    /// When it is neither written nor kept, and so lost.
    fn keep(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        self.record(event)
    }

    /// Returns when event `sequence` is on the disk. Blocks.
    ///
    /// # Errors
    /// When the disk did not confirm it.
    fn confirm(&self, _sequence: u64) -> Result<(), AuditUnavailable> {
        Ok(())
    }

    /// Whether recording waits for the disk. Whoever answers calls then records on a thread of its own.
    fn waits(&self) -> bool {
        false
    }

    /// Whether events can be written now; asked before work that could not be undone.
    ///
    /// # Errors
    /// When the last write failed and the log has not recovered.
    fn ready(&self) -> Result<(), AuditUnavailable>;

    /// The number of the last event written; 0 when the sink has no chain.
    fn position(&self) -> u64 {
        0
    }

    /// The room that is left, as of the last look; none when the sink has no disk.
    fn space(&self) -> Option<Space> {
        None
    }

    /// The last event that is known to be on disk, for keeping elsewhere; none when the sink has no chain.
    fn anchor(&self) -> Option<Anchor> {
        None
    }
}
