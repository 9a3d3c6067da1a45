//! Answers short enough to be held until they are recorded: most of those that are not streams.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use super::relay::Limits;
use crate::forward::{Source, UpstreamFault};

/// An answer, or its beginning.
#[derive(Debug)]
pub(crate) enum Collected {
    Whole(Bytes),
    /// Longer than wanted: what was read, and the rest.
    Part(Vec<Bytes>, Source),
}

/// Reads up to `most` bytes.
///
/// # Errors
/// When the model server breaks off or falls silent.
pub(crate) async fn collect(source: Source, most: usize, limits: Limits) -> Result<Collected, UpstreamFault> {
    let mut body = match source {
        Source::BuiltIn(pieces) => return Ok(Collected::Whole(joined(pieces.into()))),
        Source::Server(body) => body,
    };
    let (mut pieces, mut size) = (Vec::new(), 0);
    loop {
        let next = timeout_at(limits.ends.min(Instant::now() + limits.idle), next(&mut body)).await.map_err(|_| UpstreamFault::Idle)??;
        let Some(chunk) = next else { return Ok(Collected::Whole(joined(pieces))) };
        size += chunk.len();
        pieces.push(chunk);
        if body.is_end_stream() {
            return Ok(Collected::Whole(joined(pieces)));
        }
        if size > most {
            return Ok(Collected::Part(pieces, Source::Server(body)));
        }
    }
}

async fn next(body: &mut Incoming) -> Result<Option<Bytes>, UpstreamFault> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(error)) => return Err(UpstreamFault::Broken(error.to_string())),
            Some(Ok(frame)) => {
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some(chunk));
                }
            }
        }
    }
}

/// Almost always one piece, which is then not copied.
fn joined(mut pieces: Vec<Bytes>) -> Bytes {
    match pieces.len() {
        0 => Bytes::new(),
        1 => pieces.swap_remove(0),
        _ => {
            let mut whole = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
            pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
            whole.freeze()
        }
    }
}
