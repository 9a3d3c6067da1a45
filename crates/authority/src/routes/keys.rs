//! `GET /{tenant}/discovery/v2.0/keys` and `/{tenant}/discovery/keys`: the public keys (RFC 7517).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use http::{HeaderValue, Response, StatusCode, header};
use keyless_web::{RequestFacts, json};

use crate::codes;
use crate::refusal::{Refusal, stamp};
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

/// All tenants share the keys: a token's issuer tells them apart.
pub(super) async fn keys(State(authority): State<Arc<Authority>>, Path(tenant): Path<String>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    match key_set(&authority, &tenant) {
        Ok(mut response) => {
            stamp(&mut response, &facts);
            // Public by nature, and rotation counts on this figure: a new key is published that long before it signs.
            let fresh = format!("public, max-age={}", authority.config.jwks_max_age_secs);
            let headers = response.headers_mut();
            headers.remove(header::PRAGMA);
            headers.insert(header::CACHE_CONTROL, HeaderValue::try_from(fresh).expect("a number is a header value"));
            response
        }
        Err(refusal) => authority.refuse(&facts, Attempt::default(), &refusal),
    }
}

fn key_set(authority: &Authority, tenant: &str) -> Result<Response<Body>, Refusal> {
    let snapshot = authority.platform.directory.load();
    Realm::published(&snapshot, tenant)?;
    let keys = authority.platform.keyring.at(&snapshot).map_err(|error| {
        tracing::error!(%error, "the signing keys cannot be opened");
        Refusal::new(&codes::UNAVAILABLE).because(error).retry_after(5)
    })?;
    Ok(json(StatusCode::OK, keys.public().jwks()))
}
