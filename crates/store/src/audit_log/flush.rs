//! Brings written lines to the disk: now and then, or at once for those who wait, many with one flush.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use keyless_audit::{Anchor, AuditUnavailable};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::writer::Health;
use super::{AuditLog, FLUSH_EVERY};
use crate::Blocking;

/// How far the disk has it.
#[derive(Debug)]
pub(super) struct Flushed {
    state: Mutex<State>,
    /// Told when a flush ended, well or not.
    ended: Condvar,
    /// [`AuditLog::run`] was told of new lines and has not looked yet.
    dirty: AtomicBool,
}

#[derive(Debug)]
struct State {
    anchor: Anchor,
    /// Somebody flushes now.
    busy: bool,
}

impl Flushed {
    pub(super) const fn at(anchor: Anchor) -> Self {
        Self { state: Mutex::new(State { anchor, busy: false }), ended: Condvar::new(), dirty: AtomicBool::new(false) }
    }

    pub(super) fn anchor(&self) -> Anchor {
        self.lock().anchor
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditLog {
    /// Flushes what was written at least every 100 ms, and finds out when writing works again, until `shutdown`; then flushes once more.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = std::pin::pin!(shutdown);
        let disk = Blocking::new(1, 0);
        loop {
            let stop = tokio::select! {
                () = &mut shutdown => true,
                () = self.work.notified() => tokio::select! {
                    () = &mut shutdown => true,
                    () = tokio::time::sleep(FLUSH_EVERY) => false,
                },
            };
            let log = Arc::clone(&self);
            if disk.run(move || log.tend()).await.is_err() {
                tracing::error!("a flush of the audit log ended abnormally; it is tried again");
                self.work.notify_one();
            }
            if stop {
                return;
            }
        }
    }

    /// One round of [`AuditLog::run`].
    fn tend(&self) {
        // The reason of a failure was logged when it began; while it lasts there is nothing new to say.
        if !self.good.load(Ordering::Relaxed) {
            _ = keyless_audit::AuditSink::ready(self);
        }
        // Before looking how far the log is: whatever is written after this look asks for another round.
        self.flushed.dirty.store(false, Ordering::Release);
        _ = self.flush();
        if !self.good.load(Ordering::Relaxed) {
            self.work.notify_one();
        }
    }

    /// Brings everything written so far to the disk.
    ///
    /// # Errors
    /// When the disk does not confirm. What it holds is then unknown: nothing more is written until a restart has looked.
    pub fn flush(&self) -> Result<(), AuditUnavailable> {
        let sequence = self.head().sequence;
        self.flush_to(sequence)
    }

    /// Something was written; [`AuditLog::run`] will flush it.
    pub(super) fn flush_soon(&self) {
        if !self.flushed.dirty.swap(true, Ordering::AcqRel) {
            self.work.notify_one();
        }
    }

    /// Returns when event `sequence` is on the disk.
    pub(super) fn wait_for(&self, sequence: u64) -> Result<(), AuditUnavailable> {
        // Let others use this executor thread while the disk works: they are the ones to share the flush with.
        match Handle::try_current().map(|handle| handle.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(|| self.flush_to(sequence)),
            _ => self.flush_to(sequence),
        }
    }

    fn flush_to(&self, sequence: u64) -> Result<(), AuditUnavailable> {
        let mut state = self.flushed.lock();
        loop {
            if state.anchor.sequence >= sequence {
                return Ok(());
            }
            if let Health::Lost(reason) = self.lock().health() {
                return Err(AuditUnavailable { reason: reason.clone() });
            }
            if !state.busy {
                break;
            }
            state = self.flushed.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        // This thread flushes, for everybody whose line is written by now.
        state.busy = true;
        drop(state);
        let result = self.flush_once();
        let mut state = self.flushed.lock();
        state.busy = false;
        if let Ok(anchor) = result {
            state.anchor = anchor;
        }
        drop(state);
        self.flushed.ended.notify_all();
        result.map(|_| ())
    }

    fn flush_once(&self) -> Result<Anchor, AuditUnavailable> {
        let (medium, head) = {
            let writer = self.lock();
            // Earlier segments were flushed when they ended.
            (Arc::clone(writer.medium()), writer.chain().last())
        };
        medium.sync().map(|()| head).map_err(|error| {
            let mut writer = self.lock();
            // SECURITY: the system may have dropped the pages and forgotten the error; a second fsync would succeed without the lines.
            writer.lose(&error);
            let unavailable = AuditUnavailable { reason: format!("the disk did not confirm a write: {error}") };
            self.notice(&writer);
            drop(writer);
            self.alarm.failed(self.clock.now(), 0, &unavailable);
            unavailable
        })
    }
}
