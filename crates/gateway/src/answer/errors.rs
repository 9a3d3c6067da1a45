//! What a model server says is wrong with a request: passed on when it is an error as the clients know it, and only then.

use bytes::Bytes;
use keyless_wire::ai::AiError;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "error")]
    _error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(rename = "message")]
    _message: String,
}

/// The form of older vLLM: the same members, not wrapped.
#[derive(Deserialize)]
struct Bare {
    object: String,
    message: String,
}

/// The body for the caller.
pub(super) fn passed(status: u16, body: Bytes) -> Bytes {
    if serde_json::from_slice::<Wrapped>(&body).is_ok() {
        return body;
    }
    match serde_json::from_slice::<Bare>(&body) {
        Ok(bare) if bare.object == "error" => AiError::wrapped(status, "BadRequest", &bare.message).body.into(),
        _ => ours(status),
    }
}

/// The body in place of one that is no error of an API.
pub(super) fn ours(status: u16) -> Bytes {
    AiError::wrapped(status, "BadRequest", "The model server finds the request wrong and does not say why.").body.into()
}
