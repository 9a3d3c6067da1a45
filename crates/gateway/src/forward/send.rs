//! Sends a request to a model server and waits for the head of its answer.
//!
//! SECURITY: the request to the server is made anew, from a short list of the caller's headers. What is not on the list - tokens,
//! keys, cookies, forwarded-for claims, hop-by-hop headers - never leaves the gateway.

use std::collections::VecDeque;
use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use hyper::body::Incoming;
use keyless_model::Timestamp;

use super::fault::UpstreamFault;
use super::upstreams::Kind;
use crate::authorize::Permitted;
use crate::prompt::Outgoing;
use crate::responder;
use crate::route::Shape;

/// The only headers of a caller that a model server sees.
static PASSED_ON: [HeaderName; 3] = [ACCEPT, HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

/// A request about to leave.
#[derive(Debug)]
pub(crate) struct Onward<'a> {
    pub(crate) shape: Shape,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) content_type: HeaderValue,
    pub(crate) body: Outgoing,
    /// Our id of the call, for the server's log.
    pub(crate) request_id: HeaderValue,
    pub(crate) now: Timestamp,
    pub(crate) first_byte: Duration,
}

/// The head of an answer, and where the rest of it comes from.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) source: Source,
}

/// The rest of an answer.
#[derive(Debug)]
pub(crate) enum Source {
    Server(Incoming),
    BuiltIn(VecDeque<Bytes>),
}

/// Forwards a permitted call.
///
/// # Errors
/// When there is no answer that is the caller's to read.
pub(crate) async fn send(permitted: &Permitted, onward: Onward<'_>) -> Result<Received, UpstreamFault> {
    let served = permitted.plan().served.as_ref().ok_or(UpstreamFault::Unconfigured)?;
    let Kind::OpenAi(server) = &served.upstream.kind else {
        return responder::answer(onward, &served.model).await;
    };
    let mut request = Request::new(onward.body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = server.paths.of(onward.shape);
    let headers = request.headers_mut();
    for name in &PASSED_ON {
        if let Some(value) = onward.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(CONTENT_TYPE, onward.content_type);
    headers.insert(HeaderName::from_static("x-request-id"), onward.request_id);
    if let Some(authorization) = &server.authorization {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    let answer = tokio::time::timeout(onward.first_byte, server.connecting.request(request)).await;
    let (head, body) = answer.map_err(|_| UpstreamFault::FirstByte)?.map_err(|error| fault_of(&error))?.into_parts();
    let status = head.status.as_u16();
    let retry_after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    match UpstreamFault::of_status(status, retry_after, &served.model) {
        Some(fault) => Err(fault),
        None => Ok(Received { status, headers: head.headers, source: Source::Server(body) }),
    }
}

fn fault_of(error: &hyper_util::client::legacy::Error) -> UpstreamFault {
    let text = text_of(error);
    if error.is_connect() { UpstreamFault::Connect(text) } else { UpstreamFault::Broken(text) }
}

/// What failed. The outermost text says only that something did; the causes say what.
pub(super) fn text_of(error: &hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
