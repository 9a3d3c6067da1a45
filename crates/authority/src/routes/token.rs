//! `POST /{tenant}/oauth2/v2.0/token` and `/{tenant}/oauth2/token`: reads the request strictly, then a grant decides.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use keyless_web::{Form, RequestFacts};

use super::cors;

use crate::codes;
use crate::grant::{self, Protocol, TokenRequest};
use crate::refusal::Refusal;
use crate::state::{Attempt, Authority};

mod basic;

/// The most bytes of a body (case 81).
const MAX_BODY: usize = 64 * 1024;

/// What belongs into the body. In a query it would end up in logs of proxies and in a browser's history (case 79).
const BODY_ONLY: [&str; 12] = [
    "client_secret",
    "client_assertion",
    "password",
    "assertion",
    "code",
    "refresh_token",
    "device_code",
    "code_verifier",
    "grant_type",
    "client_id",
    "scope",
    "resource",
];

pub(super) async fn v2(State(authority): State<Arc<Authority>>, Path(tenant): Path<String>, request: Request) -> Response<Body> {
    respond(&authority, &tenant, Protocol::V2, request).await
}

pub(super) async fn v1(State(authority): State<Arc<Authority>>, Path(tenant): Path<String>, request: Request) -> Response<Body> {
    respond(&authority, &tenant, Protocol::V1, request).await
}

async fn respond(authority: &Authority, tenant: &str, protocol: Protocol, request: Request) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let facts = RequestFacts::of(&authority.platform, &parts.headers, &parts.extensions);
    let mut attempt = Attempt::default();
    let origin = cors::stated(&parts.headers);
    let (origin, mut client_id) = (origin.as_deref(), None);
    let basic: Vec<HeaderValue> = parts.headers.get_all(header::AUTHORIZATION).iter().cloned().collect();
    parts.headers.remove(header::AUTHORIZATION);
    let form = match read_form(&parts, body).await {
        Ok(form) => basic::fill(form, &basic),
        Err(refusal) => Err(refusal),
    };
    let answer = match form {
        Ok(form) => {
            let for_pages = form.field("grant_type").is_some_and(|grant| grant::FOR_PAGES.contains(&grant));
            client_id = form.field("client_id").filter(|_| for_pages).map(str::to_owned);
            grant::run(authority, &TokenRequest { facts: &facts, tenant, protocol, form: &form, origin }, &mut attempt).await
        }
        Err(refusal) => Err(refusal),
    };
    let mut response = answer.unwrap_or_else(|refusal| {
        let mut response = authority.refuse(&facts, attempt, &refusal);
        if !basic.is_empty() && response.status() == StatusCode::UNAUTHORIZED {
            // RFC 6749 section 5.2: in the scheme that the client used.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"keyless\""));
        }
        response
    });
    if let (Some(origin), Some(client_id)) = (origin, client_id) {
        cors::admit(authority, tenant, &client_id, origin, &mut response);
    }
    response
}

/// The form of a request that is a form and nothing else.
pub(super) async fn read_form(parts: &Parts, body: Body) -> Result<Form, Refusal> {
    let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
    if query.names().any(|name| BODY_ONLY.contains(&name)) {
        let text = "Parameters of a token request belong into the body, never into the URL.";
        return Err(Refusal::new(&codes::MALFORMED_REQUEST).with(text));
    }
    // SECURITY: a second way to send credentials could disagree with the first (case 80).
    if parts.headers.contains_key(header::AUTHORIZATION) {
        let text = "Send the client's credential in the body, without an Authorization header.";
        return Err(Refusal::new(&codes::MALFORMED_REQUEST).with(text));
    }
    if !is_form(parts) {
        return Err(Refusal::new(&codes::UNSUPPORTED_MEDIA_TYPE));
    }
    let body = to_bytes(body, MAX_BODY).await.map_err(|error| {
        if std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>()) {
            Refusal::new(&codes::REQUEST_TOO_LARGE).with("The limit is 64 kB.")
        } else {
            Refusal::new(&codes::MALFORMED_REQUEST).with("The body ended early.")
        }
    })?;
    Ok(Form::parse(&body)?)
}

fn is_form(parts: &Parts) -> bool {
    let mut types = parts.headers.get_all(header::CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none());
    only.and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}
