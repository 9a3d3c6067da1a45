//! What every handler of the authority works with, and the one way out for a refusal.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::body::Body;
use http::Response;
use keyless_audit::{ActorRecord, AuditEvent, Category, DecisionRecord, Outcome, TokenDetail};
use keyless_model::ClientId;
use keyless_rbac::SystemRight;
use keyless_web::{Platform, Refused, RefusedBy, RequestFacts};

use crate::codes;
use crate::config::Config;
use crate::federation::{ExternalIssuers, PublicWeb};
use crate::issuer::{IssueError, Issuer};
use crate::provider::Provider;
use crate::refusal::Refusal;
use crate::sign_in::{Page, PageKind, SignIn};
use crate::throttle::Throttle;

/// The time in which a client's full share of used assertions empties, in seconds: as long as an assertion counts.
const SHARE_SECS: u32 = 3900;

/// The authority. One per router; handlers share it.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) platform: Arc<Platform>,
    /// For what a person does without a token: signing in, staying signed in, changing a password.
    pub(crate) system: SystemRight,
    pub(crate) config: Config,
    pub(crate) issuer: Issuer,
    pub(crate) throttle: Throttle<ClientId>,
    /// Assertions that each client brought for the first time.
    pub(crate) assertions: Throttle<ClientId>,
    pub(crate) sign_in: SignIn,
    pub(crate) issuers: ExternalIssuers,
    pub(crate) provider: Option<Provider>,
}

/// What is known of a request so far: the audit of a refusal says how far it got.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    pub(crate) grant: Cow<'static, str>,
    pub(crate) credential: Cow<'static, str>,
    pub(crate) audience: Option<String>,
    /// What proved the caller, for the audit.
    pub(crate) proof: Option<String>,
    /// Set once the caller has proved who it is.
    pub(crate) actor: Option<ActorRecord>,
}

impl Authority {
    pub(crate) fn new(platform: Arc<Platform>, system: SystemRight, config: Config) -> Self {
        let issuer = Issuer::of(Arc::clone(&platform), &config);
        let throttle = Throttle::new(config.failures_per_minute);
        let assertions = Throttle::over(config.assertions_per_client, SHARE_SECS);
        let fetch = config.fetch.clone().unwrap_or_else(|| Arc::new(PublicWeb::new(&config.root_certificates)));
        let issuers = ExternalIssuers::new(fetch, Arc::clone(&platform.clock), config.trusted_issuers.clone());
        let sign_in = SignIn::new(&platform);
        let provider = config.sign_in_with.clone().map(|settings| {
            let web = config.provider_web.clone().unwrap_or_else(|| Arc::new(PublicWeb::new(&config.root_certificates)));
            Provider::new(settings, web, &platform)
        });
        Self { platform, system, config, issuer, throttle, assertions, sign_in, issuers, provider }
    }

    /// Audits the refusal and answers it in Entra's envelope.
    pub(crate) fn refuse(&self, facts: &RequestFacts, attempt: Attempt, refusal: &Refusal) -> Response<Body> {
        self.audited(facts, attempt, refusal).answer(facts, &self.platform.endpoints.authority)
    }

    /// Audits the refusal and answers it as a page for a person.
    pub(crate) fn refuse_page(&self, facts: &RequestFacts, attempt: Attempt, refusal: Refusal) -> Response<Body> {
        self.refusal_page(facts, &self.audited(facts, attempt, &refusal))
    }

    /// The page of a refusal that is in the audit already.
    pub(crate) fn refusal_page(&self, facts: &RequestFacts, told: &Refusal) -> Response<Body> {
        let text = format!("{} (AADSTS{}, request {})", told.text(), told.code().number, facts.ctx.request_id);
        let mut page = Page::new(PageKind::Message { title: "Sign-in is not possible", text: &text });
        page.status = told.status();
        page.answer(facts, &*self.platform.entropy)
    }

    /// What may be told of a refusal once it is in the audit. When it cannot be audited everything becomes 503: a log that cannot
    /// be written must not turn into an oracle that nobody sees being asked.
    pub(crate) fn audited<'a>(&self, facts: &RequestFacts, attempt: Attempt, refusal: &'a Refusal) -> Cow<'a, Refusal> {
        let code = refusal.code();
        if code.is_wait() {
            return Cow::Borrowed(refusal);
        }
        let mut event = AuditEvent::new(&facts.ctx, Category::Token, "Token_Issue", Outcome::Denied);
        event.status = Some(code.status);
        if let Some(actor) = attempt.actor {
            event.actor = actor;
        }
        event.decision = Some(DecisionRecord::refused(refusal.reason()));
        event.token = Some(TokenDetail {
            grant: attempt.grant,
            credential: attempt.credential,
            audience: attempt.audience,
            token_id: None,
            expires: None,
            error: Some(format!("AADSTS{}", code.number).into()),
        });
        tracing::debug!(request_id = %facts.ctx.request_id, code = code.number, reason = %refusal.reason(), "token refused");
        match self.platform.refused(Refused::new(RefusedBy::Authority, &format!("AADSTS{}", code.number)), event) {
            Ok(()) => Cow::Borrowed(refusal),
            Err(error) => {
                tracing::error!(%error, request_id = %facts.ctx.request_id, "a refusal could not be audited");
                Cow::Owned(Refusal::new(&codes::UNAVAILABLE))
            }
        }
    }

    /// The sentence "the store or the audit does not answer", for the client and for the log.
    pub(crate) fn unavailable(error: &dyn std::error::Error) -> Refusal {
        tracing::error!(%error, "the directory could not be changed");
        Refusal::new(&codes::UNAVAILABLE).because(error).retry_after(5)
    }

    /// A lifetime at random within the range, in seconds.
    pub(crate) fn lifetime(&self, range: &RangeInclusive<i64>) -> i64 {
        let mut bytes = [0; 4];
        self.platform.entropy.fill(&mut bytes);
        let width = range.end().saturating_sub(*range.start()).max(0).saturating_add(1);
        range.start() + i64::from(u32::from_le_bytes(bytes)) % width
    }
}

impl Refusal {
    /// What the client learns when a token that it earned could not be issued.
    pub(crate) fn from_issue(error: IssueError, tenant: &str) -> Self {
        match error {
            IssueError::ResourceUnknown(ref name) | IssueError::AudienceOurs(ref name) => {
                Self::new(&codes::RESOURCE_NOT_FOUND).with(name).with(tenant)
            }
            IssueError::TenantUnknown => Self::new(&codes::TENANT_NOT_FOUND).with(tenant),
            IssueError::PrincipalGone | IssueError::PrincipalDisabled => Self::new(&codes::PRINCIPAL_GONE).because(error),
            IssueError::NoSigningKey | IssueError::Keys(_) | IssueError::Sign(_) | IssueError::Audit(_) => {
                tracing::error!(%error, "a token could not be issued");
                Self::new(&codes::UNAVAILABLE).because(error).retry_after(5)
            }
        }
    }
}
