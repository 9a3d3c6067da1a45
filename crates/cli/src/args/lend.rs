//! What lends an identity to a program or a shell, or speaks as one.

use clap::{Args, ValueEnum};

use super::duration::parse_ttl;

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The identity to lend: a name, client id, object id or resource id [default: demo-app]
    #[arg(long = "as", value_name = "IDENTITY")]
    pub(crate) identity: Option<String>,
    /// The account that AZURE_OPENAI_ENDPOINT names [default: demo-ai]
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Leave the program a variable that would be taken away; may be repeated
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) keep: Vec<String>,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<std::ffi::OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Env {
    /// The identity to lend: a name, client id, object id or resource id [default: demo-app]
    #[arg(long = "as", value_name = "IDENTITY")]
    pub(crate) identity: Option<String>,
    /// The account that AZURE_OPENAI_ENDPOINT names [default: demo-ai]
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// How to write the variables
    #[arg(long, default_value = "sh")]
    pub(crate) shell: Shell,
    /// How long the shell has the identity, such as 30m, 8h or 2d
    #[arg(long, default_value = "8h", value_name = "TIME", value_parser = parse_ttl)]
    pub(crate) ttl: u32,
    /// Leave the shell a variable that would be taken away; may be repeated
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) keep: Vec<String>,
    /// End a loan that `keyless status` lists
    #[arg(long, value_name = "ID", conflicts_with_all = ["identity", "account", "keep"])]
    pub(crate) revoke: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// POSIX shells: sh, bash, zsh
    Sh,
    Fish,
    Powershell,
    /// One JSON object
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    /// The identity, over the local socket; without it the environment decides, as it does for a program
    #[arg(long = "as", value_name = "IDENTITY")]
    pub(crate) identity: Option<String>,
    /// What the token is for
    #[arg(long, default_value = "https://cognitiveservices.azure.com/.default", value_name = "SCOPE")]
    pub(crate) scope: String,
    /// Get a token that proves the identity to somebody outside, who trusts this system as an OpenID issuer
    #[arg(long, value_name = "AUDIENCE", conflicts_with_all = ["scope", "credential"])]
    pub(crate) audience: Option<String>,
    /// Use this credential only
    #[arg(long, value_name = "NAME", conflicts_with = "identity")]
    pub(crate) credential: Option<CredentialName>,
    /// Print what the token says, without the token
    #[arg(long, conflicts_with = "print")]
    pub(crate) decode: bool,
    /// Print the token even on a terminal
    #[arg(long)]
    pub(crate) print: bool,
}

/// The credentials of the chain, in its order; the official class names are accepted too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CredentialName {
    /// A client secret from AZURE_CLIENT_SECRET
    #[value(name = "environment", alias = "EnvironmentCredential")]
    Environment,
    /// The token in the file AZURE_FEDERATED_TOKEN_FILE, exchanged
    #[value(name = "workload-identity", alias = "WorkloadIdentityCredential")]
    WorkloadIdentity,
    /// A managed identity's endpoint
    #[value(name = "managed-identity", alias = "ManagedIdentityCredential")]
    ManagedIdentity,
}
