//! Every way a call ends without a model's answer: what the caller is told, and what the audit is told.
//!
//! The bodies are Azure's, word for word (`keyless_wire::ai`); where Azure has no words, ours use its envelope.

use std::borrow::Cow;

use keyless_audit::{AuditUnavailable, Outcome};
use keyless_rbac::Denial;
use keyless_token::TokenError;
use keyless_web::AuthnError;
use keyless_wire::ai::{AiError, AiLimit, RateLimited};

use crate::admit::{OverBudget, Remaining, Spent};
use crate::forward::UpstreamFault;
use crate::plan::Plan;
use crate::prompt::PromptFault;
use crate::route::Operation;
use crate::shares::Crowded;

/// A call that ends here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no account has this address")]
    UnknownAccount,
    #[error("the account has no such path")]
    UnknownPath,
    #[error("the route needs an api version, and none was given")]
    NoApiVersion,
    #[error("the api version is not one that this route serves")]
    ApiVersion,
    #[error("the account is closed to public networks")]
    PublicAccessDisabled,
    #[error("the network rules do not name the caller's address")]
    NetworkRules,
    #[error("no credential was sent")]
    NoCredential,
    #[error("the API key is wrong")]
    WrongKey,
    #[error("the account takes no API keys")]
    LocalAuthDisabled,
    #[error(transparent)]
    Token(AuthnError),
    #[error("the token belongs to tenant {token}, the account to another")]
    OtherTenant { token: keyless_model::TenantId },
    #[error("{}", .denial.because)]
    Denied { denial: Box<Denial>, operation: &'static Operation },
    #[error("the deployment does not exist")]
    DeploymentNotFound,
    #[error("{} {} is not served by this gateway", .0.method, .0.template)]
    NotServed(&'static Operation),
    #[error(transparent)]
    Prompt(#[from] PromptFault),
    #[error("the {} budget is spent", match .over.spent { Spent::Tokens => "token", Spent::Calls => "call" })]
    OverBudget {
        over: OverBudget,
        remaining: Option<Remaining>,
        plan: std::sync::Arc<Plan>,
        operation: &'static Operation,
        api_version: String,
    },
    #[error("{}", match .0 { Crowded::Caller => "the caller has too many calls under way", Crowded::Everyone => "too many calls are under way" })]
    TooManyCalls(Crowded),
    #[error(transparent)]
    Upstream(#[from] UpstreamFault),
    #[error(transparent)]
    Audit(#[from] AuditUnavailable),
    #[error("the account's keys cannot be read")]
    Keys(#[source] keyless_store::StoreError),
    #[error("the account's subscription does not exist")]
    Orphan,
}

/// How a refusal is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) error: AiError,
    pub(crate) retry_after_millis: Option<u64>,
    /// Tells the SDKs not to try again by themselves.
    pub(crate) final_answer: bool,
    /// What the deployment has left, when that is what refused.
    pub(crate) remaining: Option<Remaining>,
    /// `WWW-Authenticate`.
    pub(crate) challenge: Option<String>,
}

impl Refusal {
    /// The public half.
    pub(crate) fn answer(&self) -> Answer {
        let (mut retry_after_millis, mut final_answer) = (None, false);
        let error = match self {
            Self::UnknownAccount | Self::UnknownPath => AiError::not_found(),
            Self::NoApiVersion => AiError::no_api_version(),
            Self::ApiVersion => AiError::api_version(),
            Self::PublicAccessDisabled => AiError::public_access_disabled(),
            Self::NetworkRules => AiError::network_rules(),
            Self::NoCredential | Self::WrongKey => AiError::wrong_key(),
            Self::LocalAuthDisabled => AiError::local_auth_disabled(),
            Self::Token(AuthnError::Token(TokenError::Tenant(token))) | Self::OtherTenant { token } => AiError::wrong_tenant(token),
            Self::Token(AuthnError::OtherTenant { token, .. }) => AiError::wrong_tenant(token),
            // SECURITY: one body for every other fault of a token: a forger learns nothing about which rule failed.
            Self::Token(AuthnError::Keys(_) | AuthnError::KeysNeeded(_) | AuthnError::TenantKeys { .. }) | Self::Keys(_) | Self::Orphan => {
                retry_after_millis = Some(10_000);
                AiError::wrapped(503, "ServiceUnavailable", "The service cannot check credentials now. Please retry later.")
            }
            Self::Token(_) => AiError::unauthorized(),
            Self::Denied { denial, operation } => {
                AiError::permission_denied(denial.principal, operation.action, &format!("{} {}", operation.method, operation.template))
            }
            Self::DeploymentNotFound => AiError::deployment_not_found(),
            Self::NotServed(operation) => {
                final_answer = true;
                let message = format!("Keyless does not serve {} {}.", operation.method, operation.template);
                AiError::wrapped(501, "OperationNotSupported", &message)
            }
            Self::Prompt(fault) => {
                retry_after_millis = matches!(fault, PromptFault::Crowded | PromptFault::CrowdedByCaller).then_some(1_000);
                prompt_error(fault)
            }
            Self::OverBudget { over, plan, operation, api_version, .. } => {
                retry_after_millis = Some(over.retry_after_millis);
                let refused = RateLimited {
                    deployment: &plan.name,
                    model: &plan.model,
                    region: &plan.account.location,
                    tier: &plan.account.sku.name,
                    operation: operation.api,
                    api_version,
                    retry_after_secs: over.retry_after_millis.div_ceil(1000),
                };
                let limit = match over.spent {
                    Spent::Tokens => AiLimit::Tokens,
                    Spent::Calls => AiLimit::Calls,
                };
                AiError::rate_limit(limit, &refused)
            }
            Self::TooManyCalls(crowded) => {
                retry_after_millis = Some(1_000);
                match crowded {
                    Crowded::Caller => AiError::wrapped(429, "429", "Too many of your calls are under way. Please retry after 1 second."),
                    Crowded::Everyone => {
                        AiError::wrapped(503, "ServiceUnavailable", "Too many calls are under way. Please retry after 1 second.")
                    }
                }
            }
            Self::Upstream(fault) => {
                retry_after_millis = fault.retry_after_millis();
                AiError::wrapped(fault.status(), fault.code(), fault.public_message())
            }
            Self::Audit(_) => {
                retry_after_millis = Some(10_000);
                AiError::wrapped(503, "ServiceUnavailable", "The audit log cannot be written, so no call is answered. Please retry later.")
            }
        };
        let remaining = if let Self::OverBudget { remaining, .. } = self { *remaining } else { None };
        Answer { error, retry_after_millis, final_answer, remaining, challenge: None }
    }

    /// The kind of refusal, for counting; nothing of it is the caller's.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown account",
            Self::UnknownPath => "unknown path",
            Self::NoApiVersion | Self::ApiVersion => "api version",
            Self::PublicAccessDisabled | Self::NetworkRules => "network rules",
            Self::NoCredential => "no credential",
            Self::WrongKey => "wrong key",
            Self::LocalAuthDisabled => "no API keys here",
            Self::Token(_) => "a refused token",
            Self::OtherTenant { .. } => "a token of another tenant",
            Self::Denied { .. } => "no right",
            Self::DeploymentNotFound => "unknown deployment",
            Self::NotServed(_) => "not served",
            Self::Prompt(_) => "malformed request",
            Self::OverBudget { .. } => "over budget",
            Self::TooManyCalls(_) => "too many calls",
            Self::Upstream(_) => "model server",
            Self::Audit(_) | Self::Keys(_) | Self::Orphan => "not available",
        }
    }

    /// The private half: why, for the audit.
    pub(crate) fn because(&self) -> Cow<'static, str> {
        self.to_string().into()
    }

    pub(crate) const fn outcome(&self) -> Outcome {
        match self {
            Self::Upstream(_)
            | Self::Audit(_)
            | Self::Keys(_)
            | Self::Orphan
            | Self::Token(AuthnError::Keys(_) | AuthnError::KeysNeeded(_) | AuthnError::TenantKeys { .. }) => Outcome::Failed,
            _ => Outcome::Denied,
        }
    }
}

fn prompt_error(fault: &PromptFault) -> AiError {
    let message = fault.to_string();
    match fault {
        PromptFault::TooLarge { .. } => AiError::wrapped(413, "RequestTooLarge", &message),
        PromptFault::CrowdedByCaller => AiError::wrapped(429, "429", &message),
        PromptFault::Crowded => AiError::wrapped(503, "ServiceUnavailable", &message),
        PromptFault::TooSlow => AiError::wrapped(408, "RequestTimeout", &message),
        _ => AiError::bad_request(&message),
    }
}
