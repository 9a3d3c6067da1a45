//! Ends answers that nobody reads, that take too long, or that nobody may have any more, also while the caller asks for nothing.
//!
//! A server asks a body for more only when the caller has room. A caller who stops reading - a TCP window of zero, HTTP/2 without
//! window updates - would otherwise hold its connection to the model server for as long as it likes, and its right could end meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use keyless_store::Revision;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::relay::Relay;
use crate::pieces::BoxError;

/// An answer under way, and who watches it. Dropping it ends both.
#[derive(Debug)]
pub(crate) struct Watched {
    relay: Arc<Mutex<Relay>>,
    length: Option<u64>,
    _watching: JoinSet<()>,
}

impl Watched {
    /// `length`: what the model server announced. `revisions`: changes of the directory, any of which may end the right to the answer.
    pub(crate) fn new(relay: Relay, length: Option<u64>, revisions: watch::Receiver<Revision>) -> Self {
        let relay = Arc::new(Mutex::new(relay));
        let mut watching = JoinSet::new();
        watching.spawn(watch(Arc::downgrade(&relay), revisions));
        Self { relay, length, _watching: watching }
    }

    /// The length that the model server announced; none for streams.
    pub(crate) const fn length(&self) -> Option<u64> {
        self.length
    }

    pub(crate) fn is_done(&self) -> bool {
        lock(&self.relay).is_done()
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        lock(&self.relay).poll(cx)
    }
}

async fn watch(relay: Weak<Mutex<Relay>>, mut revisions: watch::Receiver<Revision>) {
    while let Some(next) = relay.upgrade().and_then(|relay| lock(&relay).look(Instant::now())) {
        tokio::select! {
            () = sleep_until(next) => {}
            // Without a directory there are no more changes; the clock still runs.
            Ok(()) = revisions.changed() => {}
        }
    }
}

/// A poisoned lock only means that another thread panicked; what is left of the answer can still be ended.
fn lock(relay: &Mutex<Relay>) -> MutexGuard<'_, Relay> {
    relay.lock().unwrap_or_else(PoisonError::into_inner)
}
