//! What starts, shows and ends a whole system.

use std::path::PathBuf;
use std::str::FromStr as _;

use clap::{Args, ValueEnum};
use keyless_model::TenantId;

use super::duration::{parse_size, parse_ttl};
use super::sign_in::SignInArgs;

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
    /// Plain HTTP port on 127.0.0.1 for managed identities; 0 takes a free one [default: 8440, or a free one when --port is not 8443]
    #[arg(long, value_name = "PORT")]
    pub(crate) metadata_port: Option<u16>,
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
    /// Let guests of this Entra tenant in by their own tokens (see `keyless guest`); repeatable
    #[arg(long, value_name = "TENANT_ID", value_parser = TenantId::from_str)]
    pub(crate) trust_tenant: Vec<TenantId>,
    /// Where those tenants' tokens come from [default: https://login.microsoftonline.com]
    #[arg(long, value_name = "URL", requires = "trust_tenant", value_parser = parse_authority)]
    pub(crate) tenant_authority: Option<String>,
    /// The only certificates (PEM) under which that authority is trusted
    #[arg(long, value_name = "FILE", requires = "tenant_authority")]
    pub(crate) tenant_ca: Option<PathBuf>,
    /// Let workloads get tokens for this audience outside, besides api://AzureADTokenExchange; repeatable
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) federation_audience: Vec<String>,
    /// While no person is administrator, print a link that makes one, once [default name: admin@ the tenant's domain]
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) invite: Option<String>,
    /// Sign tokens for this resource with ES256, which costs far less than RS256 but which fewer verifiers know; repeatable
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) es256: Vec<String>,
    /// Take each client assertion once; by default the address that used it first may use it again, as MSAL does
    #[arg(long)]
    pub(crate) assertions_once: bool,
    /// Write the system's endpoints and ids to this file once every listener answers
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// How long running calls may go on after the signal to stop
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = parse_ttl)]
    pub(crate) drain: u32,
    /// After the signal to stop, say "not ready" and accept connections for this long before draining, so that a load balancer notices
    #[arg(long, value_name = "TIME", value_parser = parse_ttl)]
    pub(crate) drain_delay: Option<u32>,
    /// Flush every audit event to disk before its call ends, rather than every 100 ms
    #[arg(long)]
    pub(crate) strict_durability: bool,
    /// Start although the state database is older than the audit log: the changes since are undone, and the log says so
    #[arg(long)]
    pub(crate) accept_older_state: bool,
    /// Start although the audit log is lost, cut or changed: what is left is kept aside, and the new log says so
    #[arg(long)]
    pub(crate) accept_lost_log: bool,
    /// Remove audit files whose events are all older than this [default: keep everything]
    #[arg(long, value_name = "TIME", value_parser = parse_ttl)]
    pub(crate) audit_keep: Option<u32>,
    /// Remove the oldest audit files beyond this size of all, such as 50GB [default: keep everything]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) audit_max_size: Option<u64>,
    /// Remove no audit file for the size of all whose last event is younger than this
    #[arg(long, default_value = "7d", value_name = "TIME", value_parser = parse_ttl)]
    pub(crate) audit_spare: u32,
    /// Start without this document of the state database, which cannot be read; the log says so; repeatable
    #[arg(long, value_name = "KIND/ID")]
    pub(crate) without: Vec<String>,
    /// How long a key signs tokens before the next one takes over
    #[arg(long, default_value = "30d", value_name = "TIME", value_parser = parse_ttl)]
    pub(crate) rotate_keys_every: u32,
    /// How long a key is published before it signs; verifiers may keep the key set for half of that, at most an hour
    #[arg(long, default_value = "24h", value_name = "TIME", value_parser = parse_ttl)]
    pub(crate) publish_keys_ahead: u32,
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
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
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
pub(crate) struct Drill {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for every command into this folder [default: print the page of `keyless` itself]
    pub(crate) folder: Option<PathBuf>,
}

/// An authority's URL as it begins its issuers' names: https, a host, and no more.
fn parse_authority(text: &str) -> Result<String, String> {
    let refused = || "an https URL without a path is expected, such as https://login.microsoftonline.us".to_owned();
    let bare = text.strip_suffix('/').unwrap_or(text);
    let host = bare.strip_prefix("https://").ok_or_else(refused)?;
    // SECURITY: keys that came in plain HTTP could be anyone's.
    let plain = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#@\\".contains(c));
    if plain && bare.parse::<http::Uri>().is_ok() { Ok(bare.to_owned()) } else { Err(refused()) }
}
