//! What goes back: an answer at hand that is recorded before its first byte leaves, or one that is passed on as it comes.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use keyless_audit::Outcome;

use super::errors;
use super::events::Events;
use super::head::{Head, JSON, decorate, passed_back, refusal};
use super::relay::{Limits, Mode, Relay};
use super::tail::Tail;
use super::usage::usage_of;
use super::vectors;
use super::watchdog::Watched;
use super::whole::{Collected, collect};
use crate::authorize::Permitted;
use crate::body::Body;
use crate::forward::{Received, Source, UpstreamFault};
use crate::record::Call;
use crate::refuse::Refusal;
use crate::route::Shape;
use crate::standing::Standing;

/// What the answer must look like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asks {
    pub(crate) shape: Shape,
    pub(crate) base64: bool,
}

/// An answer up to this size is held whole until it is recorded, so that it can still become a clean refusal.
const SHORT: usize = 64 * 1024;

/// An answer of the gateway.
#[derive(Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: HeaderMap,
    permitted: Option<Permitted>,
    content: Content,
    /// The right to it; none for an answer of our own, which is at hand.
    standing: Option<Standing>,
}

#[derive(Debug)]
enum Content {
    Whole(Bytes),
    Passing { pieces: Vec<Bytes>, source: Source, mode: Mode, length: Option<u64>, limits: Limits },
}

impl Reply {
    /// An answer of our own.
    pub(crate) fn json(body: &serde_json::Value) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON)]);
        Self { status: 200, headers, permitted: None, content: Content::Whole(body.to_string().into()), standing: None }
    }

    /// The answer of a model server. `strip`: its stream reports a usage that the caller did not ask for.
    pub(crate) async fn of(
        received: Received,
        asks: Asks,
        strip: bool,
        permitted: Permitted,
        call: &mut Call,
        limits: Limits,
    ) -> Result<Self, Refusal> {
        let Received { status, headers, source } = received;
        let form = form_of(&headers);
        let ok = (200..300).contains(&status);
        if !ok {
            call.turned_down();
            call.failed(&format_args!("the model server finds the request wrong, with status {status}"));
        }
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let mut headers = passed_back(&headers);
        let passing = |mode, length, pieces, source| Content::Passing { pieces, source, mode, length, limits };
        let content = match form {
            Form::Events if ok => {
                call.detail.streamed = true;
                passing(Mode::Events(Events::new(asks.shape, strip)), None, Vec::new(), source)
            }
            Form::Other if ok && is_content(asks.shape, &headers) => passing(Mode::Whole(Tail::default()), length, Vec::new(), source),
            // SECURITY: a page of some other server must not be shown as a model's answer.
            Form::Other if ok => return Err(UpstreamFault::Form(describe(&headers)).into()),
            // SECURITY: what is no error of an API - a page of a proxy, a dump - may say what is no caller's to read.
            _ if !ok => {
                let body = match (form, collect(source, SHORT, limits).await?) {
                    (Form::Json, Collected::Whole(bytes)) => errors::passed(status, bytes),
                    _ => errors::ours(status),
                };
                headers.insert(CONTENT_TYPE, JSON);
                Content::Whole(body)
            }
            _ => {
                let convert = asks.shape == Shape::Embeddings && asks.base64;
                let most = if convert { vectors::MAX_BYTES } else { SHORT };
                if length.is_some_and(|length: u64| length > most as u64) {
                    passing(Mode::Whole(Tail::default()), length, Vec::new(), source)
                } else {
                    match collect(source, most, limits).await? {
                        Collected::Whole(bytes) => {
                            if let Some(usage) = usage_of(&bytes, 1) {
                                call.used(usage);
                            }
                            Content::Whole(if convert { vectors::as_base64(&bytes).unwrap_or(bytes) } else { bytes })
                        }
                        Collected::Part(pieces, source) => passing(Mode::Whole(Tail::default()), length, pieces, source),
                    }
                }
            }
        };
        Ok(Self { status, headers, permitted: Some(permitted), content, standing: None })
    }

    /// The answer ends when this right does.
    pub(crate) fn under(self, standing: Standing) -> Self {
        Self { standing: Some(standing), ..self }
    }

    /// Records what is whole, and makes the response.
    pub(crate) async fn finish(self, mut call: Call, ids: &Head) -> Response<Body> {
        let Self { status, mut headers, permitted, content, standing } = self;
        let remaining = call.reservation().and_then(|reservation| reservation.remaining()).copied();
        decorate(&mut headers, ids, permitted.as_ref().map(|permitted| permitted.plan().as_ref()), remaining.as_ref());
        let body = match content {
            Content::Whole(bytes) => {
                call.passed_on(bytes.len());
                if let Err(error) = call.end_together(status, outcome_of(status)).await {
                    return refusal(Refusal::Audit(error).answer(), ids);
                }
                Body::whole(bytes)
            }
            Content::Passing { pieces, source, mode, length, limits } => {
                let revisions = call.platform().directory.revisions();
                let relay = Relay::new(source, mode, call, status, limits, standing).preceded_by(pieces);
                Body::relay(Watched::new(relay, length, revisions))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        *response.headers_mut() = headers;
        response
    }
}

/// A model server that finds the request wrong was reached by a caller who was allowed to; the call failed all the same.
pub(super) const fn outcome_of(status: u16) -> Outcome {
    if status < 400 { Outcome::Allowed } else { Outcome::Failed }
}

enum Form {
    Json,
    Events,
    Other,
}

fn form_of(headers: &HeaderMap) -> Form {
    let media = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let starts = |prefix: &[u8]| media.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if starts(b"text/event-stream") {
        Form::Events
    } else if starts(b"application/json") {
        Form::Json
    } else {
        Form::Other
    }
}

/// Sounds, and transcripts in the forms that are not JSON: plain text and subtitles.
fn is_content(shape: Shape, headers: &HeaderMap) -> bool {
    match shape {
        Shape::Speech => true,
        Shape::Transcriptions | Shape::Translations => {
            let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let media = media.split(';').next().unwrap_or_default().trim();
            ["text/plain", "text/vtt", "text/srt", "application/x-subrip"].iter().any(|known| media.eq_ignore_ascii_case(known))
        }
        _ => false,
    }
}

fn describe(headers: &HeaderMap) -> String {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("no content type").chars().take(80).collect()
}
