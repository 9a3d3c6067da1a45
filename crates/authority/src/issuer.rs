//! Issues access tokens: the one place where a token is signed, and where its audit event is written before it leaves.
//!
//! It does not know how the subject proved itself; grants, and the metadata plane through the server's adapter, do.

use std::borrow::Cow;
use std::sync::Arc;

use keyless_audit::{ActorRecord, AuditEvent, AuditUnavailable, Category, DecisionRecord, Outcome, TokenDetail};
use keyless_model::entity::{Principal, SigningAlgorithm};
use keyless_model::{ClientId, KeyId, ObjectId, OpContext, Secret, TenantId, Timestamp};
use keyless_store::{Keys, Snapshot, StoreError};
use keyless_token::{Grant, KeyError, Signer, TokenHeader, TokenSubject, WorkloadGrant};
use keyless_web::Platform;

use crate::config::Config;
use crate::resource::{Resource, ResourceKind, Resources};

/// Bytes of randomness in a token's `uti`.
const TOKEN_ID_BYTES: usize = 16;

/// A token to issue. Whoever fills this in has authenticated the subject.
#[derive(Debug, Clone)]
pub struct IssueRequest {
    pub tenant: TenantId,
    /// The resource as the client named it, with its trailing slash if it sent one.
    pub audience: String,
    pub subject: TokenSubject,
    pub lifetime_secs: i64,
    /// `client_credentials`, `managed_identity`, …: for the audit.
    pub grant: Cow<'static, str>,
    /// `secret`, `imds`, …: for the audit.
    pub credential: Cow<'static, str>,
    /// `xms_cc`.
    pub capabilities: Vec<String>,
    /// `sid`, for people.
    pub session: Option<String>,
    /// What proved the subject, in one sentence for the audit: which secret, certificate or federated credential.
    pub proof: Option<String>,
}

impl IssueRequest {
    /// A request without client capabilities or session.
    #[must_use]
    pub fn new(
        tenant: TenantId,
        audience: impl Into<String>,
        subject: TokenSubject,
        lifetime_secs: i64,
        grant: &'static str,
        credential: &'static str,
    ) -> Self {
        Self {
            tenant,
            audience: audience.into(),
            subject,
            lifetime_secs,
            grant: grant.into(),
            credential: credential.into(),
            capabilities: Vec::new(),
            session: None,
            proof: None,
        }
    }
}

/// A token that was issued and audited.
#[derive(Debug, Clone)]
pub struct Issued {
    pub token: Secret<String>,
    pub issued: Timestamp,
    pub expires: Timestamp,
    /// `uti`: names the token in the audit log without being it.
    pub token_id: String,
    /// The key that signed it: whoever caches the token drops it when that key is revoked.
    pub kid: KeyId,
    /// `aud`; differs from the name asked for when that was an application's identifier URI.
    pub audience: String,
}

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error("the tenant does not exist; use the id of one that `keyless status` shows")]
    TenantUnknown,
    #[error("no resource is named `{0}` in this tenant; ask for one that exists, such as https://cognitiveservices.azure.com")]
    ResourceUnknown(String),
    #[error("`{0}` is an audience of this system or of Azure, or of an application here, or no name; tokens for others cannot be named so")]
    AudienceOurs(String),
    #[error("the principal does not exist in this tenant; create the identity again")]
    PrincipalGone,
    #[error("the principal is disabled; enable it to get tokens")]
    PrincipalDisabled,
    #[error("no signing key is active; run `keyless keys rotate --now`")]
    NoSigningKey,
    #[error(transparent)]
    Keys(#[from] StoreError),
    #[error(transparent)]
    Sign(#[from] KeyError),
    #[error(transparent)]
    Audit(#[from] AuditUnavailable),
}

/// The token service without its HTTP face. Clones share everything.
#[derive(Debug, Clone)]
pub struct Issuer {
    platform: Arc<Platform>,
    resources: Arc<Resources>,
    /// Without a trailing slash.
    es256: Arc<[String]>,
    /// The most that a token for somebody outside lives. They cannot ask our snapshot, so what is revoked here still counts there until
    /// then; and they exchange it at once.
    outside_secs: i64,
}

impl Issuer {
    /// An issuer as configured.
    #[must_use]
    pub fn of(platform: Arc<Platform>, config: &Config) -> Self {
        let es256 = config.es256_audiences.iter().map(|audience| bare(audience).to_owned()).collect();
        Self { es256, outside_secs: config.outside_token_secs, ..Self::new(platform, &config.federation_audiences) }
    }

    /// An issuer for the resources of this system and `federation_audiences` (see [`crate::Config`]).
    #[must_use]
    pub fn new(platform: Arc<Platform>, federation_audiences: &[String]) -> Self {
        let resources = Arc::new(Resources::new(&platform.endpoints, federation_audiences));
        Self { platform, resources, es256: Arc::from([]), outside_secs: Config::default().outside_token_secs }
    }

    /// Issues a token with the active key. When this returns, the event is in the audit log.
    ///
    /// # Errors
    /// When the resource or the principal does not exist now, no key can sign, or the audit cannot be written: then no token leaves.
    pub fn issue(&self, ctx: &OpContext, request: IssueRequest) -> Result<Issued, IssueError> {
        let snapshot = self.platform.directory.snapshot();
        self.issue_at(&snapshot, ctx, request)
    }

    /// Issues a workload identity token for an audience outside of this system, whether or not it is configured: for the owner.
    ///
    /// # Errors
    /// As [`Issuer::issue`]; [`IssueError::AudienceOurs`] when the audience is none outside.
    pub fn issue_outside(&self, ctx: &OpContext, request: IssueRequest) -> Result<Issued, IssueError> {
        let snapshot = self.platform.directory.snapshot();
        let found = self.resources.outside(&snapshot, &request.audience);
        let resource = found.ok_or_else(|| IssueError::AudienceOurs(request.audience.chars().take(200).collect()))?;
        self.issue_for(&snapshot, ctx, request, resource)
    }

    /// Whether the audiences that the operator configured are all somebody else's. Those that an application here has taken meanwhile
    /// are not served, and named in the log.
    ///
    /// # Errors
    /// [`IssueError::AudienceOurs`], for a name of this system or of Azure.
    pub fn check_audiences(&self) -> Result<(), IssueError> {
        let snapshot = self.platform.directory.snapshot();
        if let Some(name) = self.resources.misnamed() {
            return Err(IssueError::AudienceOurs(name.to_owned()));
        }
        for name in self.resources.taken(&snapshot) {
            tracing::warn!(audience = name, "an application has this name: no tokens for it go outside until the application gives it up");
        }
        Ok(())
    }

    /// Whether an audience is somebody else's.
    pub(crate) fn is_outside(&self, snapshot: &Snapshot, audience: &str) -> bool {
        self.resources.outside(snapshot, audience).is_some()
    }

    /// As [`Issuer::issue`], deciding from a snapshot that the caller already decided from.
    pub(crate) fn issue_at(&self, snapshot: &Snapshot, ctx: &OpContext, request: IssueRequest) -> Result<Issued, IssueError> {
        let resource = self.resource(snapshot, request.tenant, &request.audience)?;
        self.issue_for(snapshot, ctx, request, resource)
    }

    fn issue_for(&self, snapshot: &Snapshot, ctx: &OpContext, request: IssueRequest, resource: Resource) -> Result<Issued, IssueError> {
        let (client_id, object_id) = ids(&request.subject);
        // A guest's own tenant speaks for it; we never do.
        let own = |found: &&Arc<Principal>| found.tenant == request.tenant && found.home.is_none();
        let principal = snapshot.principal(object_id).filter(own).ok_or(IssueError::PrincipalGone)?;
        if !principal.enabled {
            return Err(IssueError::PrincipalDisabled);
        }
        let issued = issue_time(principal, ctx.now).ok_or(IssueError::PrincipalDisabled)?;
        let actor = ActorRecord::Principal { object_id, tenant: request.tenant, client_id: Some(client_id) };
        let keys = self.platform.keyring.at(snapshot)?;
        let signer = self.signer(&keys, &resource.audience).ok_or(IssueError::NoSigningKey)?;
        let token_id = self.platform.entropy.text(TOKEN_ID_BYTES);
        let (issuer_base, tenant, audience) = (self.platform.endpoints.authority.as_str(), request.tenant, resource.audience.as_str());
        let (token, lifetime_secs) = match resource.kind {
            ResourceKind::Ours(version) => {
                let grant = Grant {
                    version,
                    issuer_base,
                    tenant,
                    audience,
                    subject: request.subject,
                    issued,
                    lifetime_secs: request.lifetime_secs,
                    token_id: token_id.clone(),
                    capabilities: request.capabilities,
                    session: request.session,
                };
                (signer.sign(&grant.claims(), TokenHeader::from(version))?, request.lifetime_secs)
            }
            ResourceKind::Outside => {
                let resource_id = match &request.subject {
                    TokenSubject::ManagedIdentity { resource_id, .. } => Some(resource_id.as_str()),
                    TokenSubject::Application { .. } => None,
                    // What a person may do elsewhere is that other system's sign-in's business.
                    TokenSubject::User { .. } => return Err(IssueError::ResourceUnknown(resource.audience)),
                };
                let lifetime_secs = request.lifetime_secs.min(self.outside_secs);
                let token_id = token_id.as_str();
                let grant = WorkloadGrant { issuer_base, tenant, audience, object_id, resource_id, issued, lifetime_secs, token_id };
                (signer.sign(&grant.claims(), TokenHeader::V2)?, lifetime_secs)
            }
        };
        let expires = Timestamp::from_unix_secs(issued.unix_secs()).plus_secs(lifetime_secs);

        let mut event = AuditEvent::new(ctx, Category::Token, "Token_Issue", Outcome::Allowed);
        event.actor = actor;
        event.status = Some(200);
        let because = request.proof.map_or(Cow::Borrowed("the credential holds and the principal is enabled"), Cow::Owned);
        event.decision = Some(DecisionRecord::allowed(because));
        event.token = Some(TokenDetail {
            grant: request.grant,
            credential: request.credential,
            audience: Some(resource.audience.clone()),
            token_id: Some(token_id.clone()),
            expires: Some(expires),
            error: None,
        });
        // SECURITY: before the token leaves, so that no token exists that the audit has not seen.
        self.platform.audit.record(&event)?;
        Ok(Issued { token, issued, expires, token_id, kid: signer.kid().clone(), audience: resource.audience })
    }

    /// The key for this audience: ES256 where that is asked for and there is one, else what everybody verifies.
    fn signer<'k>(&self, keys: &'k Keys, audience: &str) -> Option<&'k Signer> {
        let es256 = self.es256.iter().any(|wanted| wanted == bare(audience));
        let preferred = es256.then(|| keys.signer(SigningAlgorithm::ES256)).flatten();
        preferred.or_else(|| keys.signer(SigningAlgorithm::RS256))
    }

    /// The resource of that name in this tenant.
    pub(crate) fn resource(&self, snapshot: &Snapshot, tenant: TenantId, name: &str) -> Result<Resource, IssueError> {
        if snapshot.tenant(tenant).is_none() {
            return Err(IssueError::TenantUnknown);
        }
        self.resources.find(snapshot, tenant, name).ok_or_else(|| IssueError::ResourceUnknown(name.chars().take(200).collect()))
    }
}

fn bare(audience: &str) -> &str {
    audience.strip_suffix('/').unwrap_or(audience)
}

const fn ids(subject: &TokenSubject) -> (ClientId, ObjectId) {
    match subject {
        TokenSubject::ManagedIdentity { client_id, object_id, .. }
        | TokenSubject::Application { client_id, object_id, .. }
        | TokenSubject::User { client_id, object_id, .. } => (*client_id, *object_id),
    }
}

/// When the token counts as issued. A token's time has whole seconds: one that is issued in the second in which the principal's
/// sessions were revoked would look older than the revocation, so it gets the next second. None while the revocation itself lies
/// in the future.
fn issue_time(principal: &Principal, now: Timestamp) -> Option<Timestamp> {
    match principal.tokens_valid_from {
        Some(from) if from > now => None,
        Some(from) if Timestamp::from_unix_secs(now.unix_secs()) < from => Some(Timestamp::from_unix_secs(now.unix_secs()).plus_secs(1)),
        _ => Some(now),
    }
}
