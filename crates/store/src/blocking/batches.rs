//! Small pieces of work that wait for the same slow thing, such as a disk: whatever has come together is done at once.
//!
//! A piece that was handed over is done, whoever waits for it and whatever becomes of the runtime.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

/// Does pieces of work on threads that may block, on so many at once.
pub struct Batches<T> {
    waiting: Mutex<Waiting<T>>,
    at_once: usize,
    work: Box<dyn Fn(Vec<T>) + Send + Sync>,
}

struct Waiting<T> {
    pieces: VecDeque<T>,
    threads: usize,
}

impl<T> fmt::Debug for Batches<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").field("at_once", &self.at_once).finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Batches<T> {
    /// The line before the threads has no bound of its own: whoever hands pieces over has one.
    #[must_use]
    pub fn new(at_once: usize, work: impl Fn(Vec<T>) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::new(Waiting { pieces: VecDeque::new(), threads: 0 }), at_once, work: Box::new(work) })
    }

    /// Hands a piece over and returns at once.
    pub fn hand_over(self: &Arc<Self>, piece: T) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pieces.push_back(piece);
        if waiting.threads == self.at_once {
            return;
        }
        waiting.threads += 1;
        drop(waiting);
        let duty = Duty(Arc::clone(self));
        if let Ok(runtime) = Handle::try_current() {
            // A runtime that ends drops what it did not begin: the duty is then done there.
            #[expect(clippy::disallowed_methods, reason = "one of the two places, with a bound")]
            drop(runtime.spawn_blocking(move || drop(duty)));
        }
    }

    /// What waits now; none ends this thread's turn.
    fn next(&self) -> Option<Vec<T>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.pieces.is_empty() {
            waiting.threads -= 1;
            return None;
        }
        Some(std::mem::take(&mut waiting.pieces).into())
    }
}

/// A thread's duty to go on until nothing waits.
struct Duty<T: Send + 'static>(Arc<Batches<T>>);

impl<T: Send + 'static> Drop for Duty<T> {
    fn drop(&mut self) {
        while let Some(pieces) = self.0.next() {
            // A panic must not take the thread's place along.
            if catch_unwind(AssertUnwindSafe(|| (self.0.work)(pieces))).is_err() {
                tracing::error!("work of the background ended abnormally");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// Work that says what it was given, and goes on when it is told to.
    fn held() -> (Arc<Batches<u32>>, Receiver<Vec<u32>>, std::sync::mpsc::Sender<()>) {
        let ((told, given), (release, released)) = (channel(), channel());
        let released = Mutex::new(released);
        let work = move |pieces| {
            told.send(pieces).unwrap();
            _ = released.lock().unwrap().recv();
        };
        (Batches::new(1, work), given, release)
    }

    #[test]
    fn what_comes_while_a_thread_is_at_work_is_done_at_once_after_it() {
        let (batches, given, release) = held();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { batches.hand_over(1) });
        assert_eq!(given.recv(), Ok(vec![1]));
        runtime.block_on(async { (2..5).for_each(|piece| batches.hand_over(piece)) });
        drop(release);
        assert_eq!(given.recv(), Ok(vec![2, 3, 4]));
    }

    #[test]
    fn what_was_handed_over_is_done_though_the_runtime_ends_or_there_is_none() {
        let (batches, given, release) = held();
        drop(release);
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (first, done) = channel::<()>();
        runtime.block_on(async {
            #[expect(clippy::disallowed_methods, reason = "occupies the only thread, so that the duty is never begun")]
            drop(tokio::task::spawn_blocking(move || _ = done.recv()));
            batches.hand_over(1);
        });
        assert!(given.try_recv().is_err());
        let ending = std::thread::spawn(move || drop(runtime));
        drop(first);
        assert_eq!(given.recv(), Ok(vec![1]));
        ending.join().unwrap();
        batches.hand_over(2);
        assert_eq!(given.recv(), Ok(vec![2]));
    }
}
