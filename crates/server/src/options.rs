//! How a system is started.

use std::path::PathBuf;
use std::time::Duration;

use keyless_model::TenantId;

/// What `keyless up` runs.
#[derive(Debug, Clone)]
pub struct Options {
    pub data: PathBuf,
    /// Where the small model is prepared; kept between runs.
    pub cache: PathBuf,
    /// HTTPS for all planes on localhost; 0 chooses a free one.
    pub port: u16,
    /// Plain HTTP for managed identities on 127.0.0.1; 0 chooses a free one.
    pub metadata_port: u16,
    /// Health and metrics on 127.0.0.1; 0 chooses a free one.
    pub operations_port: u16,
    /// The gateway in plain HTTP on 127.0.0.1, behind a TLS terminator.
    pub gateway_http: Option<u16>,
    pub upstream: UpstreamChoice,
    /// External OIDC issuers that may be on a private or loopback address, because the operator named them.
    pub trusted_issuers: Vec<String>,
    /// The only certificates (PEM) under which those issuers are trusted.
    pub issuer_ca: Option<PathBuf>,
    /// Entra tenants whose tokens count here as well.
    pub trusted_tenants: Vec<TenantId>,
    /// Where those tokens come from instead of Microsoft's public cloud: an https URL without a trailing slash.
    pub tenant_authority: Option<String>,
    /// The only certificates (PEM) under which that authority is trusted.
    pub tenant_ca: Option<PathBuf>,
    /// Where people may sign in instead of with a password.
    pub sign_in: Option<SignInOptions>,
    /// Audiences outside of this system for which workloads may get tokens, besides Entra's.
    pub federation_audiences: Vec<String>,
    /// Offers the first administrator an account of this name; of `admin` in the first tenant's domain when it is empty.
    pub invite: Option<String>,
    /// Resources whose tokens are signed with ES256 rather than RS256.
    pub es256_audiences: Vec<String>,
    /// A client assertion works once, also from the address that used it first.
    pub assertions_once: bool,
    /// Written once every listener answers.
    pub ready_file: Option<PathBuf>,
    /// How long running calls may go on after the signal to stop.
    pub drain: Duration,
    /// How long connections are still accepted after that signal, while `/readyz` says no: a load balancer needs that long to notice.
    pub drain_delay: Duration,
    /// Worker threads; the machine's cores when absent.
    pub workers: Option<usize>,
    pub strict_durability: bool,
    /// Go on although the state database is older than the audit log.
    pub accept_older_state: bool,
    /// Go on although the audit log is lost, cut or changed: a new one begins after the last event known.
    pub accept_lost_log: bool,
    /// Audit events older than this are removed, whole files at a time.
    pub audit_keep_secs: Option<u32>,
    /// The oldest audit files are removed beyond this size of all.
    pub audit_max_bytes: Option<u64>,
    /// No file goes for the size of all whose last event is younger than this.
    pub audit_spare_secs: u32,
    /// Documents, as `KIND/ID`, to go on without when they cannot be read.
    pub without: Vec<String>,
    /// How long a key signs.
    pub key_interval_secs: u32,
    /// How long a key is published before it signs.
    pub key_lead_secs: u32,
}

/// An OpenID provider, and how this system is registered there.
#[derive(Debug, Clone)]
pub struct SignInOptions {
    /// Exactly the `iss` of its id tokens.
    pub issuer: String,
    /// What people call it; the issuer's host when absent.
    pub name: Option<String>,
    pub client_id: String,
    /// None for a public client.
    pub client_secret_file: Option<PathBuf>,
    /// The only certificates (PEM) under which the issuer's host is trusted.
    pub ca: Option<PathBuf>,
    /// Domains in which a verified e-mail address is the user of that name.
    pub email_domains: Vec<String>,
}

/// Where calls of models go by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamChoice {
    /// A server that already answers on this machine, else the built-in responder.
    Detect,
    /// An OpenAI-compatible server; the path `/v1` is added when the URL has none.
    Url { url: String, api_key_file: Option<PathBuf> },
    /// The small real model, run as a child.
    SmolLm2,
    /// The built-in responder, which says that it is no model.
    BuiltIn,
}
