//! Reads the part of a request body that must be known before it is forwarded.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};

use super::{Prompt, PromptFault};
use crate::shares::Held;

/// How far to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// To the end, but no further than this many bytes: what comes later streams through.
    Bytes(u64),
    /// Until `model` was seen; and then as far as [`Until::Bytes`].
    Model(u64),
}

/// Reads `body` into `prompt`, which `held` counts. Returns the rest of the body, when it is longer than needed now.
///
/// # Errors
/// When the body is too large, too slow, or must not be forwarded.
pub(crate) async fn gather(
    mut prompt: Prompt,
    mut body: Incoming,
    held: &mut Held,
    until: Until,
    limit: u64,
    deadline: Duration,
) -> Result<(Prompt, Option<Incoming>), PromptFault> {
    if body.size_hint().lower() > limit {
        return Err(PromptFault::TooLarge { limit });
    }
    let read = async {
        while !enough(&prompt, until) {
            let Some(chunk) = next(&mut body).await? else {
                prompt.finish()?;
                return Ok(true);
            };
            held.grow(chunk.len() as u64)?;
            prompt.push(chunk)?;
            if prompt.received() > limit {
                return Err(PromptFault::TooLarge { limit });
            }
            if let Until::Model(most) = until
                && prompt.is_form()
                && prompt.received() > most
                && prompt.model().is_none()
            {
                return Err(PromptFault::ModelLate);
            }
            if body.is_end_stream() {
                prompt.finish()?;
                return Ok(true);
            }
        }
        Ok(false)
    };
    let whole = tokio::time::timeout(deadline, read).await.map_err(|_| PromptFault::TooSlow)??;
    Ok((prompt, (!whole).then_some(body)))
}

fn enough(prompt: &Prompt, until: Until) -> bool {
    match until {
        Until::Bytes(most) => prompt.received() >= most,
        Until::Model(most) => prompt.received() >= most && prompt.model().is_some(),
    }
}

async fn next(body: &mut Incoming) -> Result<Option<Bytes>, PromptFault> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(_)) => return Err(PromptFault::Broken),
            Some(Ok(frame)) => {
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some(chunk));
                }
            }
        }
    }
}
