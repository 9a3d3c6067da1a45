//! Work that occupies a thread - a slow hash, a new key, a read of files - off the threads that answer calls, and bounded.
//!
//! Such work cannot be cancelled once it began, so its bound belongs to the work and not to the call that asked for it: a caller
//! who hangs up frees nothing before the work has ended. It does not know what the work is.

mod batches;

use std::sync::Arc;

pub use batches::Batches;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Runs so many pieces of work at once and lets so many wait; more are turned away, so that a flood ends as a quick refusal.
#[derive(Debug, Clone)]
pub struct Blocking {
    running: Arc<Semaphore>,
    line: Arc<Semaphore>,
    at_once: usize,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockingError {
    #[error("too much work of this kind waits already; try again in a few seconds")]
    Busy,
    #[error("the work ended without a result; see the log")]
    Aborted,
}

impl Blocking {
    #[must_use]
    pub fn new(at_once: usize, waiting: usize) -> Self {
        let line = Semaphore::new(at_once.saturating_add(waiting).min(Semaphore::MAX_PERMITS));
        Self { running: Arc::new(Semaphore::new(at_once)), line: Arc::new(line), at_once }
    }

    /// Another line before the same places: those who stand in one are not turned away because the other is full.
    #[must_use]
    pub fn line(&self, waiting: usize) -> Self {
        Self { running: Arc::clone(&self.running), ..Self::new(self.at_once, waiting) }
    }

    /// Runs `work` when it is its turn.
    ///
    /// # Errors
    /// [`BlockingError::Busy`] at once when the line is full; [`BlockingError::Aborted`] when the work panicked or the runtime ends.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, BlockingError> {
        let place = Arc::clone(&self.line).try_acquire_owned().map_err(|_| BlockingError::Busy)?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| BlockingError::Aborted)?;
        // SECURITY: the permits move into the work. Kept in this future they would come back as soon as the caller hangs up, while
        // the work goes on: a stranger could then order as much of it as they like.
        let permits: [OwnedSemaphorePermit; 2] = [place, turn];
        #[expect(clippy::disallowed_methods, reason = "one of the two places, with a bound")]
        let done = tokio::task::spawn_blocking(move || {
            let _permits = permits;
            work()
        });
        done.await.map_err(|_| BlockingError::Aborted)
    }

    /// Pieces of work that run at the moment, whoever waits for them.
    #[must_use]
    pub fn running(&self) -> usize {
        self.at_once.saturating_sub(self.running.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::Pin;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::task::Poll;

    use super::*;

    type Run<'a> = Pin<Box<dyn Future<Output = Result<(), BlockingError>> + 'a>>;

    /// Work that goes on until the sender is used or dropped.
    fn held(blocking: &Blocking) -> (Sender<()>, Run<'_>) {
        let (release, held): (Sender<()>, Receiver<()>) = channel();
        (release, Box::pin(blocking.run(move || _ = held.recv())))
    }

    async fn pending(run: &mut Run<'_>) -> bool {
        poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn work_whose_caller_is_gone_keeps_its_place_until_it_ends_i1() {
        let blocking = Blocking::new(1, 0);
        let (release, mut run) = held(&blocking);
        assert!(pending(&mut run).await);
        drop(run);
        assert_eq!(blocking.running(), 1, "nobody waits for it, and it runs");
        assert_eq!(blocking.run(|| ()).await, Err(BlockingError::Busy));
        release.send(()).unwrap();
        drop(blocking.running.acquire().await.unwrap());
        assert_eq!((blocking.running(), blocking.run(|| 7).await), (0, Ok(7)));
    }

    #[tokio::test]
    async fn whoever_leaves_the_line_before_their_turn_leaves_no_work_behind_i1() {
        let blocking = Blocking::new(1, 1);
        let (first, mut running) = held(&blocking);
        assert!(pending(&mut running).await);
        for _ in 0..100 {
            let (_, mut waiting) = held(&blocking);
            assert!(pending(&mut waiting).await);
            assert_eq!(blocking.line.available_permits(), 0);
        }
        assert_eq!((blocking.running(), blocking.line.available_permits()), (1, 1));
        drop(first);
        assert_eq!(running.await, Ok(()));
    }

    #[tokio::test]
    async fn a_full_line_does_not_turn_the_other_away_i1() {
        let strangers = Blocking::new(1, 1);
        let known = strangers.line(1);
        let (first, mut one) = held(&strangers);
        let (second, mut two) = held(&strangers);
        assert!(pending(&mut one).await && pending(&mut two).await);
        assert_eq!(strangers.run(|| ()).await, Err(BlockingError::Busy));
        let (third, mut three) = held(&known);
        assert!(pending(&mut three).await);
        assert_eq!(known.running(), 1, "one place for both");
        drop((first, second, third));
        assert_eq!((one.await, two.await, three.await), (Ok(()), Ok(()), Ok(())));
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let blocking = Blocking::new(1, 0);
        assert_eq!(blocking.run(|| panic!("on purpose")).await, Err::<(), _>(BlockingError::Aborted));
        assert_eq!(blocking.run(|| 7).await, Ok(7));
    }
}
