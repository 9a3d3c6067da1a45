//! What the fuzz targets call: the readers of bytes that others choose, with what must hold for any input. For developers only.

#![allow(clippy::panic, reason = "a fuzz target says by a panic what does not hold")]

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderValue;

use crate::answer::Events;
use crate::prompt::{Prompt, PromptFault, Wanted};
use crate::route::Shape;

const MODEL: &str = "model-of-the-server";

/// A JSON body: however it is cut, the same is forwarded; what is forwarded names the one model that was allowed, and nothing else that is
/// watched has changed.
///
/// # Panics
/// When that does not hold.
pub fn prompt(data: &[u8]) {
    let (size, body) = cut(data);
    let whole = forwarded(Prompt::object(), body, body.len().max(1)).ok();
    // `stream_options` that have passed before `stream` is known stay as they are; the call is then metered by its events.
    if !body.windows(14).any(|name| name == b"stream_options") {
        assert_eq!(forwarded(Prompt::object(), body, size).ok(), whole, "it matters how the body is cut");
    }
    let (Some(sent), Ok(serde_json::Value::Object(mut asked))) = (whole, serde_json::from_slice(body)) else { return };
    let sent: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&sent).expect("a JSON object stays one");
    if sent.get("stream").and_then(serde_json::Value::as_bool) == Some(true) {
        assert_eq!(
            sent.get("stream_options").and_then(|options| options.get("include_usage")),
            Some(&true.into()),
            "nobody could account for it"
        );
        asked.insert("stream_options".to_owned(), sent.get("stream_options").cloned().unwrap_or_default());
    }
    asked.insert("model".to_owned(), MODEL.into());
    assert_eq!(sent, asked, "more than model and usage was changed");
}

/// A multipart form: however it is cut, the same is forwarded.
///
/// # Panics
/// When that does not hold.
pub fn form(data: &[u8]) {
    let (size, body) = cut(data);
    let form = || Prompt::form(Some(&HeaderValue::from_static("multipart/form-data; boundary=frontier"))).expect("a plain boundary");
    let whole = forwarded(form(), body, body.len().max(1)).ok();
    assert_eq!(forwarded(form(), body, size).ok(), whole, "it matters how the form is cut");
}

/// An event stream: nothing of it is lost or added, however it is cut; when the usage is taken out, nothing is added either.
///
/// # Panics
/// When that does not hold.
pub fn events(data: &[u8]) {
    let (size, stream) = cut(data);
    for shape in [Shape::Chat, Shape::Responses] {
        for strip in [false, true] {
            let (mut events, mut out) = (Events::new(shape, strip), VecDeque::new());
            for chunk in stream.chunks(size) {
                if events.push(Bytes::copy_from_slice(chunk), &mut out).is_err() {
                    return;
                }
            }
            out.push_back(events.finish());
            let passed: Vec<u8> = out.iter().flatten().copied().collect();
            assert!(if strip { passed.len() <= stream.len() } else { passed == stream }, "a stream was changed");
        }
    }
}

/// The first byte says how large the pieces are.
fn cut(data: &[u8]) -> (usize, &[u8]) {
    match data {
        [first, rest @ ..] => (usize::from(*first).max(1), rest),
        [] => (1, data),
    }
}

/// What a model server gets; the plan is known once the first piece was read.
fn forwarded(mut prompt: Prompt, body: &[u8], size: usize) -> Result<Vec<u8>, PromptFault> {
    let mut out = VecDeque::new();
    for (index, chunk) in body.chunks(size).enumerate() {
        prompt.push(Bytes::copy_from_slice(chunk))?;
        if index == 0 {
            prompt.want(Wanted { model: MODEL.to_owned(), usage: true });
        }
        prompt.release(&mut out);
    }
    prompt.finish()?;
    prompt.release(&mut out);
    Ok(out.iter().flatten().copied().collect())
}
