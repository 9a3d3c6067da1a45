//! The command line: what can be asked, in words that `--help` shows. It decides nothing.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod duration;
mod help;

pub(crate) use duration::{Moment, parse_moment, parse_ttl};

/// Gives every program that calls an AI model an identity in place of an API key.
#[derive(Debug, Parser)]
#[command(name = "keyless", version, about, long_about = help::KEYLESS, after_help = help::EXIT_CODES, disable_help_subcommand = true)]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// The system's data folder [default: KEYLESS_DATA, else ~/.local/state/keyless]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See everything at once, in a throw-away folder
    #[command(long_about = help::DEMO, after_long_help = help::DEMO_MORE)]
    Demo(Demo),
    /// Run the system: authority, metadata, control plane and gateway in one process
    #[command(long_about = help::UP, after_long_help = help::UP_MORE)]
    Up(Up),
    /// Show the endpoints, identities and health of a running system
    #[command(long_about = help::STATUS, after_long_help = help::STATUS_MORE)]
    Status(Status),
    /// Run a program that has an identity and no key
    #[command(long_about = help::RUN, after_long_help = help::RUN_MORE)]
    Run(Run),
    /// Print the variables that give a shell an identity
    #[command(long_about = help::ENV, after_long_help = help::ENV_MORE)]
    Env(Env),
    /// Get a token; nothing is printed on a terminal unless asked
    #[command(long_about = help::TOKEN, after_long_help = help::TOKEN_MORE)]
    Token(Token),
    /// Show an identity, its roles, and what they allow at each account
    #[command(long_about = help::WHOAMI, after_long_help = help::WHOAMI_MORE)]
    Whoami(Whoami),
    /// Read and verify the record of who called what
    #[command(subcommand, long_about = help::AUDIT, after_long_help = help::AUDIT_MORE)]
    Audit(Audit),
    /// Leak drill: what a stolen key does, and what a stolen client id does
    #[command(long_about = help::DRILL, after_long_help = help::DRILL_MORE)]
    Drill(Drill),
    /// Attach identities to this machine, for programs that ask its metadata endpoint
    #[command(subcommand, long_about = help::HOST, after_long_help = help::HOST_MORE)]
    Host(Host),
    /// Ask whether a principal may do something, and which role would allow it
    #[command(after_long_help = help::CAN_I_MORE)]
    CanI(CanI),
    /// Explain why one request was allowed or refused
    #[command(after_long_help = help::EXPLAIN_MORE)]
    Explain(Explain),
    /// List, rotate and revoke the keys that sign tokens
    #[command(subcommand, after_long_help = help::KEYS_MORE)]
    Keys(Keys),
    /// Add or invite people who sign in, and sign them out
    #[command(subcommand, after_long_help = help::USER_MORE)]
    User(User),
    /// Print a completion script for a shell
    #[command(long_about = help::COMPLETIONS, after_long_help = help::COMPLETIONS_MORE)]
    Completions(Completions),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the show, without staying up (also when stdin is no terminal)
    #[arg(long)]
    pub(crate) once: bool,
    /// Keep the throw-away folder
    #[arg(long)]
    pub(crate) keep: bool,
    /// Skip the search for a model: use the built-in responder, which is no model
    #[arg(long)]
    pub(crate) built_in: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// HTTPS port on localhost for all planes; 0 takes a free one
    #[arg(long, default_value_t = 8443)]
    pub(crate) port: u16,
    /// Plain HTTP port on 127.0.0.1 for managed identities; 0 takes a free one
    #[arg(long, default_value_t = 8440, value_name = "PORT")]
    pub(crate) metadata_port: u16,
    /// Port on 127.0.0.1 for health and metrics; 0 takes a free one [default: 8441, or a free one when --port is not 8443]
    #[arg(long, value_name = "PORT")]
    pub(crate) operations_port: Option<u16>,
    /// Serve the gateway in plain HTTP on 127.0.0.1 too, for use behind a TLS terminator
    #[arg(long, value_name = "PORT")]
    pub(crate) gateway_http: Option<u16>,
    /// Send calls to this OpenAI-compatible server [default: one that answers on this machine, else the built-in responder]
    #[arg(long, value_name = "URL", group = "model_source")]
    pub(crate) upstream: Option<String>,
    /// A file that holds the upstream's own API key
    #[arg(long, value_name = "FILE", requires = "upstream")]
    pub(crate) upstream_key_file: Option<PathBuf>,
    /// Prepare and run a small real model (about 130 MB, once)
    #[arg(long, group = "model_source")]
    pub(crate) model: Option<Model>,
    /// Answer with the built-in responder, which says that it is no model
    #[arg(long, group = "model_source")]
    pub(crate) built_in: bool,
    /// Accept tokens of this OIDC issuer in federated credentials although it is on a private or loopback address; repeatable
    #[arg(long, value_name = "URL")]
    pub(crate) trust_issuer: Vec<String>,
    /// The only certificates (PEM) under which those issuers are trusted
    #[arg(long, value_name = "FILE", requires = "trust_issuer")]
    pub(crate) issuer_ca: Option<PathBuf>,
    /// Write the system's endpoints and ids to this file once every listener answers
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Flush every audit event to disk before its call ends, rather than every 100 ms
    #[arg(long)]
    pub(crate) strict_durability: bool,
    /// Threads that answer [default: the machine's cores]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Say more on stderr; twice for everything
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Write the log as JSON lines
    #[arg(long)]
    pub(crate) log_json: bool,
    /// End when standard input closes, so that whoever started this cannot leave it behind
    #[arg(long, hide = true)]
    pub(crate) until_stdin_closes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Model {
    /// SmolLM2-135M-Instruct under llama.cpp's own server
    Smollm2,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Print what the ready file holds
    #[arg(long)]
    pub(crate) json: bool,
}

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

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    /// The identity [default: the one this shell or program has, else demo-app]
    #[arg(long = "as", value_name = "IDENTITY")]
    pub(crate) identity: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show the last events
    #[command(after_long_help = help::AUDIT_MORE)]
    Tail {
        /// Go on showing events as they come
        #[arg(short, long)]
        follow: bool,
        /// How many to begin with
        #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
        lines: usize,
        #[command(flatten)]
        filter: AuditFilter,
    },
    /// Search all events
    #[command(after_long_help = help::AUDIT_MORE)]
    Query {
        #[command(flatten)]
        filter: AuditFilter,
    },
    /// Verify the hash chain over all events
    #[command(after_long_help = help::AUDIT_MORE)]
    Verify {
        /// An event known to have been written, as SEQUENCE:HASH from an earlier verification; may be repeated
        #[arg(long, value_name = "SEQUENCE:HASH")]
        anchor: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Every condition given must hold.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AuditFilter {
    /// Events of this caller: identity name, object id or client id
    #[arg(long, value_name = "WHO")]
    pub(crate) principal: Option<String>,
    /// Events at this account
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Calls of this deployment
    #[arg(long, value_name = "NAME")]
    pub(crate) deployment: Option<String>,
    /// Not before: RFC 3339, or how long ago, such as 90s, 15m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) since: Option<Moment>,
    /// Before: the same forms
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) until: Option<Moment>,
    #[arg(long)]
    pub(crate) outcome: Option<Outcome>,
    #[arg(long)]
    pub(crate) category: Option<Category>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outcome {
    Allowed,
    /// Refused by authentication, policy or budget
    Denied,
    /// Allowed, and then something broke
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Category {
    /// Changes of accounts, roles and identities
    Control,
    /// Calls of models
    Data,
    /// Tokens asked for
    Token,
    /// Keyless itself
    System,
}

#[derive(Debug, Args)]
pub(crate) struct Drill {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Host {
    /// Attach an identity to this machine
    #[command(after_long_help = help::HOST_MORE)]
    Attach {
        /// A name, client id, object id or resource id
        identity: String,
    },
    /// Detach an identity from this machine
    #[command(after_long_help = help::HOST_MORE)]
    Detach {
        /// A name, client id, object id or resource id
        identity: String,
    },
    /// Show the identities attached to this machine
    #[command(after_long_help = help::HOST_MORE)]
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
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
    /// The request id of the answer (`apim-request-id`, `x-ms-request-id`, trace id)
    pub(crate) request_id: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the signing keys and their states
    #[command(after_long_help = help::KEYS_MORE)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a new signing key; it is published before it signs, unless --now
    #[command(after_long_help = help::KEYS_MORE)]
    Rotate {
        /// Sign with the new key at once
        #[arg(long)]
        now: bool,
    },
    /// Refuse every token that a key signed, at once
    #[command(after_long_help = help::KEYS_MORE)]
    Revoke {
        /// The key's id
        kid: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person; the password is read from standard input
    #[command(after_long_help = help::USER_MORE)]
    Add {
        /// The sign-in name, such as ada@keyless.localhost
        name: String,
        #[arg(long)]
        display_name: Option<String>,
        /// Demand another password at the first sign-in
        #[arg(long)]
        must_change: bool,
    },
    /// Print a link with which a person makes their account, once
    #[command(after_long_help = help::USER_MORE)]
    Invite {
        /// The sign-in name, such as ada@keyless.localhost
        name: String,
        #[arg(long)]
        display_name: Option<String>,
        /// Make them Owner of everything: for the first administrator
        #[arg(long)]
        owner: bool,
    },
    /// Refuse every token that a person or program holds now
    #[command(after_long_help = help::USER_MORE)]
    SignOut {
        /// The object id
        object_id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests;
