//! From a token request to an answer: reads `grant_type` and lets that grant decide.

use axum::body::Body;
use http::{Response, StatusCode};
use keyless_web::json;
use keyless_wire::oauth::{GRANT_DEVICE_CODE, GRANT_JWT_BEARER, TokenResponse, TokenResponseV1};

use crate::codes;
use crate::issuer::Issued;
use crate::refusal::{Refusal, stamp};
use crate::requested_claims::capabilities;
use crate::state::{Attempt, Authority};
pub(crate) use crate::token_request::{Protocol, TokenRequest};

mod authorization_code;
mod client_credentials;
mod device_code;
mod family;
mod on_behalf_of;
mod people;
mod refresh_token;

/// The grants of pages in a browser: nothing else is done for one, or read by one.
pub(crate) const FOR_PAGES: [&str; 2] = ["authorization_code", "refresh_token"];

/// Answers the request or refuses it; `attempt` learns how far it got.
pub(crate) async fn run(authority: &Authority, request: &TokenRequest<'_>, attempt: &mut Attempt) -> Result<Response<Body>, Refusal> {
    let grant_type = request.form.field("grant_type").ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("grant_type"))?;
    // Before anything that works once is used up.
    capabilities(request.form.field("claims"))?;
    // SECURITY: a page is let in by what was registered for it; no other grant asks for that, and Entra refuses them in these words.
    if request.origin.is_some() && !FOR_PAGES.contains(&grant_type) {
        return Err(Refusal::wrong_place(request.origin));
    }
    match grant_type {
        "client_credentials" => {
            attempt.grant = "client_credentials".into();
            client_credentials::run(authority, request, attempt).await
        }
        "authorization_code" => {
            attempt.grant = "authorization_code".into();
            authorization_code::run(authority, request, attempt).await
        }
        // Azure's JavaScript library sends the short name.
        GRANT_DEVICE_CODE | "device_code" => {
            attempt.grant = "device_code".into();
            device_code::run(authority, request, attempt).await
        }
        "refresh_token" => {
            attempt.grant = "refresh_token".into();
            refresh_token::run(authority, request, attempt).await
        }
        GRANT_JWT_BEARER => {
            attempt.grant = "on_behalf_of".into();
            on_behalf_of::run(authority, request, attempt).await
        }
        // The resource owner password grant is refused for good: a program that may see a password defeats everything else here.
        other => Err(Refusal::new(&codes::UNSUPPORTED_GRANT).with(other)),
    }
}

/// The answer to a program: a token and nothing to renew it with.
fn app_answer(request: &TokenRequest<'_>, issued: &Issued, resource: &str) -> Response<Body> {
    let expires_in = issued.expires.millis_since(request.facts.ctx.now) / 1000;
    let mut body = TokenResponse::bearer(issued.token.expose().clone(), expires_in);
    body.refresh_in = refresh_in(expires_in);
    let mut response = match request.protocol {
        Protocol::V2 => json(StatusCode::OK, &body),
        Protocol::V1 => json(StatusCode::OK, &v1_answer(body, issued, resource)),
    };
    stamp(&mut response, request.facts);
    response
}

/// When to renew a long-lived token: at half its life, as Entra says it. Short ones are renewed shortly before they end.
fn refresh_in(expires_in: i64) -> Option<i64> {
    (expires_in >= 2 * 3600).then_some(expires_in / 2)
}

/// The same answer as the v1 endpoint writes it.
fn v1_answer(body: TokenResponse, issued: &Issued, resource: &str) -> TokenResponseV1 {
    TokenResponseV1 {
        token_type: body.token_type,
        scope: body.scope,
        expires_in: body.expires_in.to_string(),
        ext_expires_in: body.ext_expires_in.to_string(),
        expires_on: issued.expires.unix_secs().to_string(),
        not_before: issued.issued.unix_secs().to_string(),
        resource: resource.to_owned(),
        access_token: body.access_token,
        refresh_token: body.refresh_token,
        id_token: body.id_token,
    }
}
