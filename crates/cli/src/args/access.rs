//! Questions about access: who is this, what may they do, why was that refused.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    /// An identity, a person or any principal, by name or id [default: the one this shell or program has, else demo-app]
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) identity: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CanI {
    /// An action, such as Microsoft.Authorization/roleAssignments/write
    pub(crate) action: String,
    /// Where: account/deployment, an account, group/NAME, `subscription`, or an ARM id
    #[arg(long)]
    pub(crate) scope: String,
    /// Who: an identity's name, a person's sign-in name, or any id of theirs
    #[arg(long = "as", visible_alias = "principal", value_name = "WHO", default_value = "demo-app")]
    pub(crate) principal: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// An id of the request: `apim-request-id`, `x-ms-request-id`, `x-ms-correlation-request-id`, a trace id, or the client's own;
    /// or the beginning of it that `keyless audit tail` shows
    #[arg(required_unless_present = "last")]
    pub(crate) request_id: Option<String>,
    /// The newest request that was refused or failed; when none was, the newest
    #[arg(long, conflicts_with = "request_id")]
    pub(crate) last: bool,
    /// With --last: requests of this caller [default: the identity that this shell or program has, else everybody]
    #[arg(long = "as", visible_alias = "principal", value_name = "WHO", requires = "last", conflicts_with = "request_id")]
    pub(crate) principal: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
