//! Calls that end in the same turn of a thread are written to the audit log at once: one lock and one write for all of them.
//!
//! The first of them leads. It lets the tasks that are ready run, so that those which end too can join, and writes; nobody waits for
//! a clock. No answer ends before its event was written, as if each had been written by itself.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use keyless_audit::{AuditSink, AuditUnavailable};
use tokio::sync::oneshot;

use super::entry::{Entry, write};

thread_local! {
    /// The turn that calls of this thread may still join.
    static OPEN: RefCell<Option<Arc<Turn>>> = const { RefCell::new(None) };
}

/// Records an event together with the others of this turn.
///
/// # Errors
/// When it could not be written; the others then were not written either.
pub(super) async fn record(audit: &Arc<dyn AuditSink>, entry: Entry) -> Result<(), AuditUnavailable> {
    match join(audit, entry) {
        Place::Leading(lead) => {
            let_others_run().await;
            lead.0.write()
        }
        Place::Following(written) => {
            written.await.unwrap_or_else(|_| Err(AuditUnavailable { reason: "the write was given up half-way".to_owned() }))
        }
    }
}

/// Events that wait for one write. It may be led and joined from different threads: a runtime can move a call between them.
#[derive(Debug)]
struct Turn {
    audit: Arc<dyn AuditSink>,
    /// None once it is being written.
    waiting: Mutex<Option<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<Entry>,
    followers: Vec<oneshot::Sender<Result<(), AuditUnavailable>>>,
}

enum Place {
    Leading(Lead),
    Following(oneshot::Receiver<Result<(), AuditUnavailable>>),
}

fn join(audit: &Arc<dyn AuditSink>, entry: Entry) -> Place {
    OPEN.with_borrow_mut(|open| {
        if let Some(turn) = open.as_ref().filter(|turn| Arc::ptr_eq(&turn.audit, audit))
            && let Some(waiting) = turn.lock().as_mut()
        {
            let (follower, written) = oneshot::channel();
            waiting.entries.push(entry);
            waiting.followers.push(follower);
            return Place::Following(written);
        }
        let waiting = Mutex::new(Some(Waiting { entries: vec![entry], followers: Vec::new() }));
        let turn = Arc::new(Turn { audit: Arc::clone(audit), waiting });
        *open = Some(Arc::clone(&turn));
        Place::Leading(Lead(turn))
    })
}

impl Turn {
    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits; once.
    fn write(&self) -> Result<(), AuditUnavailable> {
        let Some(Waiting { entries, followers }) = self.lock().take() else { return Ok(()) };
        let result = write(&*self.audit, entries);
        for follower in followers {
            // A caller that went away meanwhile is recorded like the others.
            _ = follower.send(result.clone());
        }
        result
    }
}

/// The duty to write a turn. A leader whose caller goes away does it on its way out.
struct Lead(Arc<Turn>);

impl Drop for Lead {
    fn drop(&mut self) {
        // Whoever waits is told; nobody is left here who could be.
        _ = self.0.write();
    }
}

/// Returns after every task that is ready now has had its turn. (`yield_now` would ask the system for news first.)
async fn let_others_run() {
    let mut passed = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut passed, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests;
