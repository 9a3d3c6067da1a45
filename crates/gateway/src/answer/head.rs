//! Status and headers of an answer: Azure's names, our values, and of the model server's only what describes the body.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use keyless_model::RequestId;

use crate::admit::Remaining;
use crate::body::Body;
use crate::plan::Plan;
use crate::refuse::Answer;

const APIM_REQUEST_ID: HeaderName = HeaderName::from_static("apim-request-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_MS_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const X_MS_REGION: HeaderName = HeaderName::from_static("x-ms-region");
const X_MS_DEPLOYMENT_NAME: HeaderName = HeaderName::from_static("x-ms-deployment-name");
const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const LIMIT_REQUESTS: HeaderName = HeaderName::from_static("x-ratelimit-limit-requests");
const LIMIT_TOKENS: HeaderName = HeaderName::from_static("x-ratelimit-limit-tokens");
const REMAINING_REQUESTS: HeaderName = HeaderName::from_static("x-ratelimit-remaining-requests");
const REMAINING_TOKENS: HeaderName = HeaderName::from_static("x-ratelimit-remaining-tokens");

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The longest client request id that is echoed.
const MAX_CORRELATION: usize = 64;

/// The ids of a call, as header values.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) request_id: HeaderValue,
    correlation: Option<HeaderValue>,
}

impl Head {
    pub(crate) fn new(request_id: RequestId, headers: &HeaderMap) -> Self {
        let mut text = [0; 36];
        request_id.uuid().hyphenated().encode_lower(&mut text);
        // SECURITY: the caller's own id goes into a header and perhaps a log: no quotes, no line ends (case 86).
        let plain = |id: &&HeaderValue| {
            id.len() <= MAX_CORRELATION && id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
        };
        Self {
            request_id: HeaderValue::from_bytes(&text).expect("a UUID is hexadecimal digits and hyphens"),
            correlation: headers.get(&X_MS_CLIENT_REQUEST_ID).or_else(|| headers.get(&CLIENT_REQUEST_ID)).filter(plain).cloned(),
        }
    }

    /// The client's own id, for the audit.
    pub(crate) fn correlation(&self) -> Option<std::sync::Arc<str>> {
        self.correlation.as_ref().and_then(|id| id.to_str().ok()).map(Into::into)
    }
}

/// Puts the gateway's own headers on an answer.
pub(crate) fn decorate(headers: &mut HeaderMap, head: &Head, plan: Option<&Plan>, remaining: Option<&Remaining>) {
    headers.reserve(12);
    headers.insert(APIM_REQUEST_ID, head.request_id.clone());
    headers.insert(X_REQUEST_ID, head.request_id.clone());
    if let Some(correlation) = &head.correlation {
        headers.insert(X_MS_CLIENT_REQUEST_ID, correlation.clone());
    }
    headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains; preload"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(plan) = plan {
        headers.insert(X_MS_REGION, plan.region_header.clone());
        headers.insert(X_MS_DEPLOYMENT_NAME, plan.name_header.clone());
    }
    if let Some(remaining) = remaining {
        headers.insert(LIMIT_REQUESTS, remaining.limits.calls.into());
        headers.insert(LIMIT_TOKENS, remaining.limits.tokens.into());
        headers.insert(REMAINING_REQUESTS, remaining.calls.into());
        headers.insert(REMAINING_TOKENS, remaining.tokens.into());
    }
}

/// The headers of the model server that the caller sees.
pub(crate) fn passed_back(from: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    for name in [CONTENT_TYPE, CONTENT_DISPOSITION] {
        if let Some(value) = from.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers
}

/// The answer to a refused call.
pub(crate) fn refusal(answer: Answer, head: &Head) -> Response<Body> {
    let mut response = Response::new(Body::whole(answer.error.body.into()));
    *response.status_mut() = StatusCode::from_u16(answer.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    decorate(headers, head, None, answer.remaining.as_ref());
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(millis) = answer.retry_after_millis {
        headers.insert(RETRY_AFTER, millis.div_ceil(1000).into());
        headers.insert(RETRY_AFTER_MS, millis.into());
    }
    if let Some(Ok(challenge)) = answer.challenge.map(HeaderValue::try_from) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if answer.final_answer {
        headers.insert(X_SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    response
}
