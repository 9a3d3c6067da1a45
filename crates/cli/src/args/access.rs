//! Questions about access: who is this, what may they do, why was that refused.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    /// The identity [default: the one this shell or program has, else demo-app]
    #[arg(long = "as", value_name = "IDENTITY")]
    pub(crate) identity: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CanI {
    /// An action, such as Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action
    pub(crate) action: String,
    /// An ARM id, an account's name, or account/deployment
    #[arg(long)]
    pub(crate) scope: String,
    /// An identity's name or id, or any principal's object id
    #[arg(long, default_value = "demo-app")]
    pub(crate) principal: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// An id of the request: `apim-request-id`, `x-ms-request-id`, `x-ms-correlation-request-id`, a trace id, or the client's own
    pub(crate) request_id: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
