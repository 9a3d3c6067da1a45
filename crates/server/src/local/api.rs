//! What is said over the local socket, and what the ready file holds.

use keyless_model::entity::{KeyState, SigningAlgorithm};
use keyless_model::{AssignmentId, DenyAssignmentId, ObjectId, RoleId, Timestamp};
use serde::{Deserialize, Serialize};

/// An account as `status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStatus {
    pub name: String,
    pub id: String,
    pub endpoint: String,
    pub deployments: Vec<String>,
}

/// An identity as `status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityStatus {
    pub name: String,
    pub id: String,
    pub client_id: String,
    pub principal_id: String,
}

/// Where calls of models go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamStatus {
    pub name: String,
    pub url: String,
    /// `model server`, `supervised model` or `built-in responder (not a model)`.
    pub kind: String,
    pub models: Vec<String>,
    /// What is wrong with it, to be put after its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Whether calls fail for it.
    #[serde(default)]
    pub down: bool,
}

/// What answers a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentStatus {
    /// Account and deployment.
    pub name: String,
    /// The model that it names.
    pub model: String,
    /// The model that answers; empty when none does.
    pub answered_by: String,
    /// Whether that is another one.
    pub stands_in: bool,
}

/// The provider that people may sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInStatus {
    pub name: String,
    pub issuer: String,
    /// To be registered at the provider.
    pub redirect_uri: String,
}

/// A running system: what `keyless status --json` prints and the ready file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub pid: u32,
    pub started: Timestamp,
    pub data: String,
    /// URLs without a trailing slash.
    pub authority: String,
    pub control: String,
    pub gateway: String,
    /// The plain HTTP gateway on loopback, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_http: Option<String>,
    pub metadata: String,
    pub operations: String,
    pub ca_file: String,
    /// The system's roots plus the local CA: what children get.
    pub ca_bundle: String,
    pub tenant_id: String,
    pub tenant_domain: String,
    pub subscription_id: String,
    pub accounts: Vec<AccountStatus>,
    pub identities: Vec<IdentityStatus>,
    pub upstreams: Vec<UpstreamStatus>,
    /// What answers deployments: those first that another model answers, and not all of many.
    #[serde(default)]
    pub deployments: Vec<DeploymentStatus>,
    /// Entra tenants whose tokens count for their guests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_tenants: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInStatus>,
    /// The ARM id of the host that IMDS speaks for.
    pub host: String,
    /// Commits so far.
    pub revision: u64,
    /// `ok`, `degraded: ` and why some calls fail, or why none is answered.
    pub health: String,
}

/// `POST /attachments`: lends an identity. A run's attachment ends when this connection does, so that it dies with the program
/// even when the command that started it is killed.
#[derive(Serialize, Deserialize)]
pub struct AttachRequest {
    /// Name, client id, object id or ARM id.
    pub identity: String,
    /// `run` or `shell`.
    pub kind: String,
    /// The identity header, made by the client: at least 32 random bytes in base64url. A client whose server restarts attaches again
    /// with the same header, so its program does not notice.
    pub header: String,
    pub label: String,
    /// For shells.
    #[serde(default)]
    pub ttl_secs: Option<u32>,
}

impl std::fmt::Debug for AttachRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttachRequest").field("identity", &self.identity).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The answer to [`AttachRequest`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attached {
    pub id: String,
    pub identity: IdentityStatus,
    /// `IDENTITY_ENDPOINT` for the borrower.
    pub identity_endpoint: String,
    pub until: Option<Timestamp>,
}

/// A live attachment, as `GET /attachments` lists them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AttachmentStatus {
    pub id: String,
    pub kind: String,
    pub identity: String,
    pub label: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

/// `POST /token`: a token of an identity for the owner of the data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRequest {
    pub identity: String,
    /// The resource; a scope's trailing `/.default` is taken off by the client.
    pub resource: String,
}

/// `POST /token/outside`: a workload identity token for somebody outside of this system.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutsideTokenRequest {
    pub identity: String,
    pub audience: String,
}

/// The answer to [`TokenRequest`]. Holds the token: never log it.
#[derive(Serialize, Deserialize)]
pub struct TokenAnswer {
    pub access_token: String,
    pub expires: Timestamp,
    pub identity: IdentityStatus,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAnswer").field("expires", &self.expires).field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Any refusal on the local socket.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct LocalError {
    /// What happened and what to do next.
    pub message: String,
}

/// A signing key, as `GET /keys` lists them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyStatus {
    pub kid: String,
    pub algorithm: SigningAlgorithm,
    pub state: KeyState,
    /// When it entered that state.
    pub since: Timestamp,
}

/// `POST /keys/rotate`: makes a new signing key. Without `now` it is published for a while before it signs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotateKeys {
    #[serde(default)]
    pub now: bool,
}

/// `POST /keys/revoke`: takes a key out at once; every token it signed stops working.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeKey {
    pub kid: String,
}

/// `POST /users`: adds a person. Holds the password: never log it.
#[derive(Serialize, Deserialize)]
pub struct UserRequest {
    pub user_principal_name: String,
    pub display_name: String,
    /// None for a person who signs in with the provider only.
    pub password: Option<String>,
    #[serde(default)]
    pub must_change: bool,
}

impl std::fmt::Debug for UserRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRequest").field("user_principal_name", &self.user_principal_name).finish_non_exhaustive()
    }
}

/// `POST /users/password`: gives a person another password and signs them out. Holds the password: never log it.
#[derive(Serialize, Deserialize)]
pub struct PasswordRequest {
    pub user_principal_name: String,
    pub password: String,
    /// Whether they must choose another when they sign in.
    pub must_change: bool,
}

impl std::fmt::Debug for PasswordRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordRequest").field("user_principal_name", &self.user_principal_name).finish_non_exhaustive()
    }
}

/// `POST /users/link`: who a person is at the provider that people sign in with; without a subject, nobody any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkRequest {
    pub user_principal_name: String,
    pub subject: Option<String>,
}

/// `POST /invitations`: makes a one-time link with which a person makes their account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvitationRequest {
    pub user_principal_name: String,
    pub display_name: String,
    /// Gives Owner of everything: for the first administrator.
    #[serde(default)]
    pub owner: bool,
    #[serde(default)]
    pub lifetime_secs: Option<u32>,
}

/// The answer to [`InvitationRequest`]. Whoever holds the link is that person.
#[derive(Serialize, Deserialize)]
pub struct InvitationAnswer {
    pub link: String,
}

impl std::fmt::Debug for InvitationAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvitationAnswer(***)")
    }
}

/// An invitation whose link works, as `GET /invitations` lists them; `DELETE /invitations/{name}` ends one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvitationStatus {
    pub user_principal_name: String,
    pub display_name: String,
    /// Whether the account will be an Owner of everything.
    pub owner: bool,
    pub invited: Timestamp,
    pub expires: Timestamp,
}

/// `POST /sessions/revoke`: every token issued to this principal until now stops working.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeSessions {
    /// A sign-in name, an identity's name or any id of theirs.
    pub principal: String,
    /// Tokens issued from then on stay; now when absent.
    #[serde(default)]
    pub before: Option<Timestamp>,
}

/// `POST /guests`: makes a principal of a trusted Entra tenant a guest, by the object id that it has there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GuestRequest {
    pub object_id: String,
    /// The Entra tenant it lives in.
    pub tenant: String,
    pub display_name: String,
    /// A person; else a program's service principal.
    #[serde(default)]
    pub person: bool,
}

/// A guest, as `GET /guests` lists them; `DELETE /guests/{object id}` removes one with its role assignments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GuestStatus {
    pub object_id: String,
    /// The Entra tenant it lives in.
    pub tenant: String,
    pub display_name: String,
    /// As ARM says it: `ServicePrincipal` or `User`.
    pub principal_type: String,
    pub enabled: bool,
    /// Whether tokens of its tenant count in the running system.
    pub trusted: bool,
    pub added: Timestamp,
}

/// The answer to `POST /deny-assignments`, whose body is a deny assignment in ARM's shape: `name` when it replaces one, and
/// `properties` with its scope. `DELETE /deny-assignments/{name}` removes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DenyAssignmentAnswer {
    pub name: DenyAssignmentId,
}

/// `POST /can-i`: what the policy would say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CanIRequest {
    /// An identity's name or id, a person's sign-in name, or any principal's object id.
    pub principal: String,
    pub action: String,
    /// An ARM id.
    pub scope: String,
    /// Leaves out which roles would allow it.
    #[serde(default)]
    pub terse: bool,
    /// The question is that of an event: its place may be gone, or not be made yet.
    #[serde(default)]
    pub as_recorded: bool,
}

/// The answer to [`CanIRequest`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CanIAnswer {
    pub allowed: bool,
    pub because: String,
    /// The assignment or deny assignment that decides, when one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<RuleStatus>,
    pub principal: String,
    /// What it is called, when nobody else is called so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_name: Option<String>,
    /// `User`, `Group` or `ServicePrincipal`; none when the directory knows no such principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_type: Option<String>,
    pub scope: String,
    /// When refused: the roles that would allow it, if assigned at the scope; those that allow the least besides come first.
    pub granted_by: Vec<String>,
}

/// `POST /rule`: names what an audit event names by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RuleRequest {
    pub assignment: Option<AssignmentId>,
    pub role: Option<RoleId>,
    pub via_group: Option<ObjectId>,
    pub deny: Option<DenyAssignmentId>,
}

/// A rule by its names, as far as the directory still knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleStatus {
    /// Of the assignment or deny assignment.
    pub id: String,
    /// The role's name, or the deny assignment's.
    pub name: String,
    /// Where it was made; none when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The group through which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via_group: Option<String>,
    /// It refuses rather than grants.
    pub denies: bool,
}

/// Who acts, as `GET /principals` lists them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrincipalStatus {
    pub object_id: String,
    /// The sign-in name of a person, the name of an identity, else the display name.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// `POST /audit/prune`: removes old files of the audit log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PruneRequest {
    /// Files whose events are all older may go.
    pub before: Option<Timestamp>,
    /// The oldest files go until the log has at most this many bytes.
    pub max_bytes: Option<u64>,
}

/// What was removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PruneAnswer {
    pub files: u64,
    pub bytes: u64,
    /// The last event that is gone, as `SEQUENCE:HASH`; none when nothing may go.
    pub up_to: Option<String>,
}
