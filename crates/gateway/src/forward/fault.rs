//! What may go wrong with a model server. None of it is the caller's fault, and none of it is told in the server's own words.

/// Why there is no answer to pass on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamFault {
    #[error("no upstream is configured for the deployment's model")]
    Unconfigured,
    #[error("no connection to the model server: {0}")]
    Connect(String),
    #[error("the model server did not begin to answer in time")]
    FirstByte,
    #[error("the model server fell silent in the middle of its answer")]
    Idle,
    #[error("the connection to the model server broke: {0}")]
    Broken(String),
    /// 401, 403, 407: our credential for it is wrong. Its caller must not take that for a verdict on *its* credential.
    #[error("the model server refused the gateway's own credential with status {0}")]
    Credential(u16),
    /// 3xx: never followed, wherever it points.
    #[error("the model server answered with a redirect ({0})")]
    Redirect(u16),
    /// 404, 405: it does not know the model or the path.
    #[error("the model server does not know the model `{model}` or the path (status {status})")]
    Unknown { status: u16, model: String },
    #[error("the model server asks to wait (status {status})")]
    Busy { status: u16, retry_after_secs: Option<u64> },
    #[error("the model server failed with status {0}")]
    Failed(u16),
    #[error("the model server answered with `{0}` instead of JSON or an event stream")]
    Form(String),
}

impl UpstreamFault {
    /// The status for the caller.
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Unconfigured | Self::Connect(_) => 503,
            Self::FirstByte | Self::Idle => 504,
            Self::Busy { status, .. } => *status,
            _ => 502,
        }
    }

    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Unconfigured | Self::Connect(_) => "ServiceUnavailable",
            Self::FirstByte | Self::Idle => "GatewayTimeout",
            Self::Busy { status: 429, .. } => "429",
            Self::Busy { .. } => "ServiceUnavailable",
            _ => "BadGateway",
        }
    }

    /// What the caller may know: which kind of trouble, not where the server is or what it said.
    pub(crate) const fn public_message(&self) -> &'static str {
        match self {
            Self::Unconfigured => "No model server is configured for this deployment. Ask the operator to add one.",
            Self::Connect(_) => "The model server cannot be reached. Please retry later.",
            Self::FirstByte | Self::Idle => "The model server did not answer in time. Please retry later.",
            Self::Credential(_) => "The model server does not accept the gateway. Ask the operator to check its credential.",
            Self::Unknown { .. } => "The model server does not serve this model. Ask the operator to check the deployment.",
            Self::Busy { .. } => "The model server is busy. Please retry later.",
            Self::Broken(_) | Self::Redirect(_) | Self::Failed(_) | Self::Form(_) => {
                "The model server failed to answer. Please retry later."
            }
        }
    }

    /// When another try makes sense.
    pub(crate) const fn retry_after_millis(&self) -> Option<u64> {
        match self {
            Self::Connect(_) => Some(2_000),
            Self::Busy { retry_after_secs: Some(secs), .. } => Some(secs.saturating_mul(1000)),
            Self::Busy { .. } => Some(5_000),
            _ => None,
        }
    }

    /// The fault that a status means when `model` was asked for; none when the answer is the caller's to read.
    pub(crate) fn of_status(status: u16, retry_after_secs: Option<u64>, model: &str) -> Option<Self> {
        match status {
            200..=299 => None,
            401 | 403 | 407 => Some(Self::Credential(status)),
            404 | 405 => Some(Self::Unknown { status, model: model.to_owned() }),
            429 | 503 => Some(Self::Busy { status, retry_after_secs }),
            408 | 504 => Some(Self::FirstByte),
            400..=499 => None,
            300..=399 => Some(Self::Redirect(status)),
            _ => Some(Self::Failed(status)),
        }
    }
}
