//! What the gateway is told at start, and what of it may change while it runs.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use keyless_model::Secret;
use keyless_web::{PeerOwner, TrustedTenants};
use rustls::pki_types::CertificateDer;

/// How the gateway works. Every default has its reason in `docs/security/defaults.md`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name of the upstream that serves a deployment whose model no upstream names. Without one, such a deployment is
    /// answered 503.
    pub default_upstream: Option<String>,
    pub upstreams: Vec<UpstreamConfig>,
    /// The certificates trusted in `https` upstreams that name no `ca` of their own: the operating system's roots, DER.
    pub roots: Vec<CertificateDer<'static>>,
    /// The largest request body, in bytes.
    pub max_request_bytes: u64,
    /// The most bytes of request bodies that are in memory at any time; a caller may hold a quarter of it.
    pub body_memory_bytes: u64,
    /// The most calls of models under way, answers included; never more than the audit log keeps events of ([`keyless_audit::MOST_KEPT`]).
    pub max_calls: usize,
    /// The most calls under way of one caller.
    pub max_calls_of_one: usize,
    pub timeouts: Timeouts,
    /// What one identity may use of one deployment; none is unlimited. A deployment's capacity counts besides.
    pub per_identity: Option<IdentityLimit>,
    /// Entra tenants whose tokens count besides this system's own.
    pub trusted_tenants: Option<Arc<TrustedTenants>>,
}

/// A model server behind the gateway.
#[derive(Debug, Clone)]
pub struct UpstreamConfig {
    /// How deployments refer to it.
    pub name: String,
    pub kind: UpstreamKind,
    /// Up to and including the version segment, such as `http://127.0.0.1:11434/v1`. Not read for the built-in responder.
    pub base_url: Uri,
    /// The models it names; empty when it answers to any name (llama.cpp's server does).
    pub models: Vec<String>,
    /// Sent as a bearer token.
    pub api_key: Option<Secret<String>>,
    /// The only certificates trusted for this upstream, DER; empty means the configured roots.
    pub ca: Vec<CertificateDer<'static>>,
    /// Of a server on this machine that nobody named: whether it may be this user's. Asked of each new connection, as another user may take
    /// the port later.
    pub trusts: Option<fn(PeerOwner) -> bool>,
}

/// What stands behind an upstream's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamKind {
    /// A server that speaks OpenAI's HTTP interface.
    OpenAi,
    /// Keyless' own answer, which says that it is no model.
    BuiltInResponder,
}

/// How long each stage may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To a connection with the upstream: its name, TCP and TLS together.
    pub connect: Duration,
    /// From the request to the head of the upstream's answer. A model may think for minutes before it says anything.
    pub first_byte: Duration,
    /// Between two pieces of the upstream's answer.
    pub idle: Duration,
    /// For the caller to send what must be read of the request body before it can be forwarded.
    pub request_body: Duration,
    /// Between two pieces of a request body once its beginning is with the upstream.
    pub upload_idle: Duration,
    /// How long a piece of an answer may wait for a caller who does not read.
    pub unread: Duration,
    /// From the arrival of a call to the end of its answer.
    pub call: Duration,
    /// How long an unused upstream connection is kept. Shorter than the five seconds after which uvicorn (vLLM) and llama.cpp close
    /// theirs: a call that is sent just then fails.
    pub pool_idle: Duration,
}

/// What one identity may use of one deployment in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityLimit {
    pub tokens_per_minute: u64,
    pub requests_per_minute: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(600),
            idle: Duration::from_secs(300),
            request_body: Duration::from_secs(60),
            upload_idle: Duration::from_secs(30),
            unread: Duration::from_secs(60),
            call: Duration::from_secs(3600),
            pool_idle: Duration::from_secs(4),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_upstream: None,
            upstreams: Vec::new(),
            roots: Vec::new(),
            max_request_bytes: 32 * 1024 * 1024,
            body_memory_bytes: 256 * 1024 * 1024,
            max_calls: keyless_audit::MOST_KEPT,
            max_calls_of_one: keyless_audit::MOST_KEPT / 8,
            timeouts: Timeouts::default(),
            per_identity: None,
            trusted_tenants: None,
        }
    }
}

impl UpstreamConfig {
    /// A server at `base_url` that asks for no key and answers to any model name.
    #[must_use]
    pub fn open_ai(name: impl Into<String>, base_url: Uri) -> Self {
        Self { name: name.into(), kind: UpstreamKind::OpenAi, base_url, models: Vec::new(), api_key: None, ca: Vec::new(), trusts: None }
    }

    /// The built-in responder under that name.
    #[must_use]
    pub fn built_in(name: impl Into<String>) -> Self {
        Self { kind: UpstreamKind::BuiltInResponder, ..Self::open_ai(name, Uri::from_static("http://built-in.invalid")) }
    }
}

/// Everything that is wrong with a configuration, one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the gateway's configuration cannot be used: {}", .problems.join("; "))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

/// Checks what can be checked without touching the network; reports all problems together.
///
/// # Errors
/// With everything that is wrong.
pub fn check(default_upstream: Option<&str>, upstreams: &[UpstreamConfig], has_roots: bool) -> Result<(), ConfigError> {
    let mut problems = Vec::new();
    for (index, upstream) in upstreams.iter().enumerate() {
        let name = &upstream.name;
        if name.is_empty() {
            problems.push(format!("upstream number {} has no name; give it one", index + 1));
        }
        if upstreams.iter().take(index).any(|earlier| earlier.name == *name) {
            problems.push(format!("two upstreams are named `{name}`; rename one"));
        }
        if upstream.kind == UpstreamKind::BuiltInResponder {
            continue;
        }
        let url = &upstream.base_url;
        match url.scheme_str() {
            Some("http") => {}
            Some("https") if has_roots || !upstream.ca.is_empty() => {}
            Some("https") => problems.push(format!("upstream `{name}` uses https and no certificate roots are configured; set its `ca`")),
            _ => problems.push(format!("the base url `{url}` of upstream `{name}` must start with http:// or https://")),
        }
        // SECURITY: a password in a URL ends up in logs; `api_key` does not.
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            problems.push(format!("the base url of upstream `{name}` holds a credential; use `api_key`"));
        }
        // SECURITY: the key is the whole right of this system there; everyone on the way would read it.
        if url.scheme_str() == Some("http") && upstream.api_key.is_some() && !url.host().is_some_and(is_this_machine) {
            problems.push(format!("upstream `{name}` would get its api key in clear text over the network; use https"));
        }
        if url.query().is_some() {
            problems.push(format!("the base url of upstream `{name}` has a query; remove it"));
        }
        if upstream.api_key.as_ref().is_some_and(|key| !key.expose().bytes().all(|b| b.is_ascii_graphic())) {
            problems.push(format!("the api key of upstream `{name}` holds characters that no header may carry"));
        }
    }
    if let Some(default) = default_upstream
        && !upstreams.iter().any(|upstream| upstream.name == default)
    {
        problems.push(format!("the default upstream `{default}` is not among the upstreams"));
    }
    if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
}

/// Whether what is sent to this host stays on this machine.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_reported_together_and_none_shows_a_credential() {
        let upstreams = [
            UpstreamConfig::open_ai("a", Uri::from_static("http://user:hunter2@127.0.0.1/v1")),
            UpstreamConfig::open_ai("a", Uri::from_static("https://models.example/v1?x=1")),
            UpstreamConfig::open_ai("b", Uri::from_static("/v1")),
            UpstreamConfig::built_in("responder"),
        ];
        let error = check(Some("missing"), &upstreams, false).unwrap_err();
        assert_eq!(error.problems.len(), 6, "{error}");
        assert!(!error.to_string().contains("hunter2"));
        check(Some("responder"), &upstreams[3..], false).unwrap();
    }

    #[test]
    fn an_api_key_does_not_cross_the_network_in_clear_text_d16() {
        let keyed = |url| UpstreamConfig {
            api_key: Some(Secret::new("sk-hunter2".to_owned())),
            ..UpstreamConfig::open_ai("a", Uri::from_static(url))
        };
        for refused in ["http://10.0.0.1/v1", "http://models.example/v1", "http://[2001:db8::1]/v1"] {
            let error = check(None, &[keyed(refused)], true).unwrap_err().to_string();
            assert!(error.contains("clear text") && !error.contains("hunter2"), "{error}");
        }
        for taken in ["http://127.0.0.1:1/v1", "http://[::1]:1/v1", "http://LOCALHOST:1/v1", "https://models.example/v1"] {
            check(None, &[keyed(taken)], true).unwrap();
        }
        check(None, &[UpstreamConfig::open_ai("a", Uri::from_static("http://10.0.0.1/v1"))], true).unwrap();
    }

    #[test]
    fn a_dump_of_the_configuration_hides_the_key() {
        let mut upstream = UpstreamConfig::open_ai("a", Uri::from_static("http://127.0.0.1/v1"));
        upstream.api_key = Some(Secret::new("sk-hunter2".to_owned()));
        assert!(!format!("{:?}", Config { upstreams: vec![upstream], ..Config::default() }).contains("hunter2"));
    }
}
