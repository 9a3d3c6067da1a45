//! Hands events to the audit log, each once, without holding up the other calls of the thread.
//!
//! Where writing waits for the disk, it does so on threads that may block; a call hands its event over and goes on when it was written.
//! An event that was handed over is written whatever becomes of its call.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use keyless_audit::{AuditSink, AuditUnavailable};
use keyless_store::Batches;
use tokio::sync::oneshot;

use super::entry::{Entry, write};
use super::together;

/// Writes that wait for the disk at once; they share flushes.
const AT_ONCE: usize = 4;

/// Where a call's event goes.
#[derive(Debug)]
pub(crate) struct Recorder {
    audit: Arc<dyn AuditSink>,
    disk: Arc<Batches<(Entry, Told)>>,
}

/// Tells a call what came of its event.
type Told = oneshot::Sender<Result<(), AuditUnavailable>>;

/// A write under way, or what came of it.
#[derive(Debug)]
pub(crate) enum Writing {
    Done(Result<(), AuditUnavailable>),
    OnDisk(oneshot::Receiver<Result<(), AuditUnavailable>>),
}

impl Recorder {
    pub(crate) fn new(audit: &Arc<dyn AuditSink>) -> Arc<Self> {
        let sink = Arc::clone(audit);
        let disk = Batches::new(AT_ONCE, move |pieces: Vec<(Entry, Told)>| {
            let (entries, waiting): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
            let result = write(&*sink, entries);
            // Whoever went away meanwhile is recorded like the others.
            waiting.into_iter().for_each(|caller| _ = caller.send(result.clone()));
        });
        Arc::new(Self { audit: Arc::clone(audit), disk })
    }

    /// Records an event together with those of other calls that end now.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) async fn together(&self, entry: Entry) -> Result<(), AuditUnavailable> {
        if self.audit.waits() { self.now(entry).await } else { together::record(&self.audit, entry).await }
    }

    /// Records an event; without waiting for others, and without holding up this thread.
    pub(super) fn now(&self, entry: Entry) -> Writing {
        if !self.audit.waits() {
            return Writing::Done(write(&*self.audit, vec![entry]));
        }
        let (caller, written) = oneshot::channel();
        self.disk.hand_over((entry, caller));
        Writing::OnDisk(written)
    }
}

impl Future for Writing {
    type Output = Result<(), AuditUnavailable>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Done(result) => Poll::Ready(result.clone()),
            Self::OnDisk(written) => Pin::new(written).poll(cx).map(|result| result.unwrap_or_else(|_| given_up())),
        }
    }
}

fn given_up() -> Result<(), AuditUnavailable> {
    Err(AuditUnavailable { reason: "the write was given up half-way".to_owned() })
}
