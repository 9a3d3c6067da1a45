//! Answers.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// `Cache-Control` of every answer that holds a token or depends on who asks.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A JSON answer that no cache keeps and no browser sniffs.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    // Our bodies are plain structs and maps with string keys: serialising them cannot fail.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
