//! The body of the request to the model server.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::{Prompt, PromptFault};
use crate::pieces::{BoxError, length_of};
use crate::shares::Held;

/// What turned out about a body after its beginning was forwarded.
#[derive(Debug, Default)]
pub(crate) struct Late {
    fault: OnceLock<PromptFault>,
    asked_usage: AtomicBool,
    received: AtomicU64,
}

impl Late {
    pub(crate) fn fault(&self) -> Option<&PromptFault> {
        self.fault.get()
    }

    pub(crate) fn asked_usage(&self) -> bool {
        self.asked_usage.load(Ordering::Relaxed)
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// Pieces at hand, and perhaps the rest of the caller's body behind them. What is not read is not taken from the caller: its
/// connection slows down with the model server's.
#[derive(Debug)]
pub(crate) struct Outgoing {
    ready: VecDeque<Bytes>,
    rest: Option<Box<Rest>>,
    held: Held,
}

#[derive(Debug)]
struct Rest {
    body: Incoming,
    prompt: Prompt,
    limit: u64,
    idle: Duration,
    /// Runs only while the caller is silent.
    silence: Option<Pin<Box<Sleep>>>,
    late: Arc<Late>,
}

impl Outgoing {
    /// `rest` is what [`super::gather`] left unread; at most `limit` bytes are taken in all, and each within `idle` of the last. `held`
    /// counts what was read.
    pub(crate) fn new(mut prompt: Prompt, rest: Option<Incoming>, held: Held, limit: u64, idle: Duration) -> (Self, Arc<Late>) {
        let mut ready = VecDeque::new();
        prompt.release(&mut ready);
        let late = Arc::new(Late::default());
        late.note(&prompt);
        let rest = rest.map(|body| Box::new(Rest { body, prompt, limit, idle, silence: None, late: Arc::clone(&late) }));
        (Self { ready, rest, held }, late)
    }
}

impl Late {
    fn note(&self, prompt: &Prompt) {
        self.asked_usage.store(prompt.asked_usage(), Ordering::Relaxed);
        self.received.store(prompt.received(), Ordering::Relaxed);
    }
}

impl Rest {
    /// The next frame of the caller; none at the end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, PromptFault>> {
        if let Poll::Ready(next) = Pin::new(&mut self.body).poll_frame(cx) {
            self.silence = None;
            return Poll::Ready(next.transpose().map_err(|_| PromptFault::Broken));
        }
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.idle)));
        silence.as_mut().poll(cx).map(|()| Err(PromptFault::TooSlow))
    }

    /// The next piece was read; true when more may come.
    fn take(&mut self, chunk: Option<Bytes>, ready: &mut VecDeque<Bytes>) -> Result<bool, PromptFault> {
        let more = chunk.is_some();
        match chunk {
            Some(chunk) => self.prompt.push(chunk)?,
            None => self.prompt.finish()?,
        }
        if self.prompt.received() > self.limit {
            return Err(PromptFault::TooLarge { limit: self.limit });
        }
        self.late.note(&self.prompt);
        self.prompt.release(ready);
        Ok(more)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                self.held.shrink(piece.len() as u64);
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let Self { ready, rest, .. } = &mut *self;
            let Some(under_way) = rest else { return Poll::Ready(None) };
            let chunk = match ready!(under_way.poll_next(cx)) {
                Ok(Some(frame)) => match frame.into_data() {
                    Ok(chunk) => Ok(Some(chunk)),
                    Err(_trailers) => continue,
                },
                Ok(None) => Ok(None),
                Err(fault) => Err(fault),
            };
            match chunk.and_then(|chunk| under_way.take(chunk, ready)) {
                Ok(true) => {}
                Ok(false) => *rest = None,
                Err(fault) => {
                    // The upload breaks off, so the model server never sees a whole request.
                    _ = under_way.late.fault.set(fault.clone());
                    *rest = None;
                    return Poll::Ready(Some(Err(fault.into())));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.rest {
            None => SizeHint::with_exact(length_of(&self.ready)),
            Some(_) => SizeHint::default(),
        }
    }
}
