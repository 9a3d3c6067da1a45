//! What a handler answers when it did what was asked.

use axum::body::Body;
use http::header::{ETAG, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use serde_json::Value;

/// A successful answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// `None` answers an empty body.
    pub(crate) body: Option<Value>,
    pub(crate) headers: HeaderMap,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body), headers: HeaderMap::new() }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(body) }
    }

    /// 201 for something new, 200 for something changed.
    pub(crate) fn put(new: bool, body: Value) -> Self {
        if new { Self::created(body) } else { Self::ok(body) }
    }

    /// 200 without a body.
    pub(crate) fn done() -> Self {
        Self { status: StatusCode::OK, body: None, headers: HeaderMap::new() }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::done() }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        // Values are our own etags and links; one that is no header value is left out rather than cut short.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    #[must_use]
    pub(crate) fn etag(self, etag: &str) -> Self {
        self.with(ETAG, etag)
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = match self.body {
            Some(body) => keyless_web::json(self.status, &body),
            None => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = self.status;
                response.headers_mut().insert(http::header::CACHE_CONTROL, keyless_web::NO_STORE);
                response
            }
        };
        response.headers_mut().extend(self.headers);
        response
    }
}
