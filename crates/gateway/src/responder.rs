//! The built-in responder: an upstream that is no model and says so in every answer.
//!
//! It lets a newcomer see the whole of Keyless work - identity, decision, budget, audit, streaming - on a machine where no model
//! can run. It speaks the same shapes as a model server, so that clients meet nothing special.

use std::collections::VecDeque;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::forward::{Onward, Received, Source, UpstreamFault};
use crate::route::Shape;

mod chat;
mod embeddings;
mod responses;
mod words;

/// Facts of one answer that every shape needs.
struct Answering<'a> {
    model: &'a str,
    /// Ends the answer's own id.
    id: String,
    created: i64,
}

/// An answer: one JSON document, or the events of a stream.
enum Said {
    Document(u16, Value),
    Events(Vec<Bytes>),
}

/// Answers as a model server would.
///
/// # Errors
/// When the caller's body breaks off.
pub(crate) async fn answer(onward: Onward<'_>, model: &str) -> Result<Received, UpstreamFault> {
    let body = onward.body.collect().await.map_err(|error| UpstreamFault::Broken(error.to_string()))?.to_bytes();
    let id = onward.request_id.to_str().unwrap_or_default().replace('-', "");
    let answering = Answering { model, id, created: onward.now.unix_secs() };
    let said = match serde_json::from_slice(&body) {
        _ if onward.shape.is_form() => say(onward.shape, &Value::Null, &answering),
        Ok(request) => say(onward.shape, &request, &answering),
        Err(error) => wrong(&format!("the request body is not JSON: {error}")),
    };
    let (status, media, pieces) = match said {
        Said::Document(status, document) => (status, "application/json", VecDeque::from([Bytes::from(document.to_string())])),
        Said::Events(events) => (200, "text/event-stream", events.into()),
    };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media))]);
    Ok(Received { status, headers, source: Source::BuiltIn(pieces) })
}

fn say(shape: Shape, request: &Value, answering: &Answering<'_>) -> Said {
    match shape {
        Shape::Chat => chat::chat(request, answering),
        Shape::Completions => chat::completions(request, answering),
        Shape::Embeddings => embeddings::embeddings(request, answering),
        Shape::Responses => responses::responses(request, answering),
        Shape::Speech | Shape::Images | Shape::Transcriptions | Shape::Translations | Shape::ImageEdits => {
            wrong("Keyless' built-in responder neither makes nor reads sounds and pictures; configure a model server")
        }
    }
}

fn wrong(message: &str) -> Said {
    Said::Document(
        400,
        serde_json::json!({"error": {"code": "BadRequest", "message": message, "type": "invalid_request_error", "param": null}}),
    )
}

fn event(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}

#[cfg(test)]
mod tests;
