//! From a token request to an answer: reads `grant_type` and lets that grant decide.

use axum::body::Body;
use http::{Response, StatusCode};
use keyless_web::{Form, RequestFacts, json};
use keyless_wire::oauth::{TokenResponse, TokenResponseV1};

use crate::codes;
use crate::issuer::Issued;
use crate::refusal::{Refusal, stamp};
use crate::state::{Attempt, Authority};

mod client_credentials;

/// Which of Entra's two token endpoints was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `/oauth2/token`: the client names a `resource`, times are strings.
    V1,
    /// `/oauth2/v2.0/token`: the client names a `scope`.
    V2,
}

/// A token request whose form was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenRequest<'a> {
    pub(crate) facts: &'a RequestFacts,
    /// The path segment that names the tenant.
    pub(crate) tenant: &'a str,
    pub(crate) protocol: Protocol,
    pub(crate) form: &'a Form,
}

/// Answers the request or refuses it; `attempt` learns how far it got.
pub(crate) async fn run(authority: &Authority, request: &TokenRequest<'_>, attempt: &mut Attempt) -> Result<Response<Body>, Refusal> {
    let grant_type = request.form.field("grant_type").ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("grant_type"))?;
    match grant_type {
        "client_credentials" => {
            attempt.grant = "client_credentials".into();
            client_credentials::run(authority, request, attempt).await
        }
        // The resource owner password grant is refused for good: a program that may see a password defeats everything else here.
        other => Err(Refusal::new(&codes::UNSUPPORTED_GRANT).with(other)),
    }
}

/// The answer to a program: a token and nothing to renew it with.
fn app_answer(request: &TokenRequest<'_>, issued: &Issued, resource: &str) -> Response<Body> {
    let expires_in = issued.expires.millis_since(request.facts.ctx.now) / 1000;
    let token = issued.token.expose().clone();
    let mut response = match request.protocol {
        Protocol::V2 => json(StatusCode::OK, &TokenResponse::bearer(token, expires_in)),
        Protocol::V1 => json(
            StatusCode::OK,
            &TokenResponseV1 {
                token_type: "Bearer".to_owned(),
                scope: None,
                expires_in: expires_in.to_string(),
                ext_expires_in: expires_in.to_string(),
                expires_on: issued.expires.unix_secs().to_string(),
                not_before: issued.issued.unix_secs().to_string(),
                resource: resource.to_owned(),
                access_token: token,
                refresh_token: None,
                id_token: None,
            },
        ),
    };
    stamp(&mut response, request.facts);
    response
}
