//! Which pages in a browser may read our answers (the CORS protocol of the Fetch standard).
//!
//! A page of an application may, by the origins of its registered addresses of the kind "Single-Page Application"; nobody else. Cookies
//! never count here: every request proves itself by what its form holds.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use keyless_store::Snapshot;

use super::method::not_allowed;
use crate::client::App;
use crate::state::Authority;
use crate::tenant::Realm;

/// Headers with which MSAL.js tells about itself; its others begin with `x-client-`.
const HEADERS: [&str; 7] =
    ["content-type", "x-anchormailbox", "x-ms-lib-capability", "x-app-name", "x-app-ver", "client-request-id", "return-client-request-id"];
/// How long a browser remembers that it may ask, in seconds. What it may read is judged with every answer.
const MAX_AGE: &str = "600";

/// The origin that a request states; empty when it states none that could be one.
pub(super) fn stated(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let first = values.next()?;
    let only = values.next().is_none();
    Some(first.to_str().ok().filter(|_| only).unwrap_or_default().to_owned())
}

/// `OPTIONS` of the token endpoint: a browser asks before it sends. It does not say for which application, so a page of any may.
pub(super) async fn preflight(State(authority): State<Arc<Authority>>, Path(tenant): Path<String>, request: Request) -> Response<Body> {
    let headers = request.headers();
    let post = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).is_some_and(|method| method == "POST");
    let known = stated(headers).filter(|origin| post && is_page(&authority.platform.directory.snapshot(), &tenant, origin));
    let Some(origin) = known else { return not_allowed(State(authority), request).await };
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let allowed: Vec<String> = asked
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| HEADERS.contains(&name.as_str()) || (name.starts_with("x-client-") && HeaderName::try_from(name).is_ok()))
        .collect();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    allow(&mut response, &origin);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    if let Ok(value) = HeaderValue::try_from(allowed.join(", ")) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, value);
    }
    response
}

/// Lets a page of this very application read the answer to it, a refusal too.
pub(super) fn admit(authority: &Authority, tenant: &str, client_id: &str, origin: &str, response: &mut Response<Body>) {
    let snapshot = authority.platform.directory.snapshot();
    let app = Realm::parse(&snapshot, tenant).and_then(|realm| App::find(&snapshot, &realm, client_id));
    if app.is_ok_and(|app| app.has_page_at(origin)) {
        allow(response, origin);
    }
}

/// The documents that MSAL.js reads first are public; a page of any application may read them.
pub(super) async fn documents(State(authority): State<Arc<Authority>>, request: Request, next: Next) -> Response<Body> {
    let origin = stated(request.headers());
    let tenant = request.uri().path().split('/').nth(1).unwrap_or_default().to_owned();
    let mut response = next.run(request).await;
    // Browsers and proxies keep these: what they answer to one origin must not be told to another.
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|origin| is_page(&authority.platform.directory.snapshot(), &tenant, origin)) {
        allow(&mut response, &origin);
    }
    response
}

fn is_page(snapshot: &Snapshot, tenant: &str, origin: &str) -> bool {
    Realm::parse(snapshot, tenant).is_ok_and(|realm| snapshot.has_page_at(realm.only(), origin))
}

fn allow(response: &mut Response<Body>, origin: &str) {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Ok(origin) = HeaderValue::try_from(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-ms-request-id, client-request-id"));
    }
}
