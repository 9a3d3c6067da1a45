//! The provider's metadata, remembered: asked for seldom, by one at a time, and kept while the provider is away.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyless_model::{Clock, Timestamp};
use tokio::task::JoinSet;

use super::exchange::ProviderError;
use super::metadata::Metadata;

/// Endpoints move seldom.
const FRESH_SECS: i64 = 3600;
/// Between two attempts, whatever strangers click.
const COOL_DOWN_SECS: i64 = 5;
/// While the provider's document cannot be had, the last one counts this long.
const STALE_SECS: i64 = 24 * 3600;

/// What is known of the provider.
#[derive(Debug, Default)]
pub(super) struct Known {
    state: Arc<Mutex<State>>,
    /// Held by the fetch under way, which has a deadline.
    flight: Arc<tokio::sync::Mutex<()>>,
    fetches: Mutex<JoinSet<()>>,
}

#[derive(Debug, Default)]
struct State {
    found: Option<(Arc<Metadata>, Timestamp)>,
    attempted: Option<Timestamp>,
    /// Why the last attempt failed.
    failure: Option<ProviderError>,
}

impl Known {
    /// The metadata, through `fetch` when it is not known or too old.
    pub(super) async fn get(
        &self,
        clock: &Arc<dyn Clock>,
        fetch: impl Future<Output = Result<Metadata, ProviderError>> + Send + 'static,
    ) -> Result<Arc<Metadata>, ProviderError> {
        if let Some(metadata) = lock(&self.state).younger_than(FRESH_SECS, clock.now()) {
            return Ok(metadata);
        }
        if let Ok(flight) = Arc::clone(&self.flight).try_lock_owned()
            && lock(&self.state).begin(clock.now())
        {
            // SECURITY: it goes on by itself: with the caller it would end without an answer or a cool-down, and strangers who hang
            // up could have the provider asked again and again.
            let (state, clock) = (Arc::clone(&self.state), Arc::clone(clock));
            let mut fetches = lock(&self.fetches);
            while fetches.try_join_next().is_some() {}
            fetches.spawn(async move {
                let fetched = fetch.await;
                lock(&state).end(fetched, clock.now());
                drop(flight);
            });
        }
        drop(self.flight.lock().await);
        let mut state = lock(&self.state);
        match state.younger_than(STALE_SECS, clock.now()) {
            Some(metadata) => Ok(metadata),
            None => Err(state.failure.take().unwrap_or(ProviderError::AskedJustNow)),
        }
    }
}

impl State {
    /// Whether to ask now.
    fn begin(&mut self, now: Timestamp) -> bool {
        let cools_down = |attempted: Timestamp| (0..COOL_DOWN_SECS * 1000).contains(&now.millis_since(attempted));
        if self.younger_than(FRESH_SECS, now).is_some() || self.attempted.is_some_and(cools_down) {
            return false;
        }
        self.attempted = Some(now);
        true
    }

    fn end(&mut self, fetched: Result<Metadata, ProviderError>, now: Timestamp) {
        self.attempted = Some(now);
        match fetched {
            Ok(metadata) => (self.found, self.failure) = (Some((Arc::new(metadata), now)), None),
            Err(error) => self.failure = Some(error),
        }
    }

    fn younger_than(&self, secs: i64, now: Timestamp) -> Option<Arc<Metadata>> {
        // A clock that went back makes the age negative: ask anew.
        let (metadata, _) = self.found.as_ref().filter(|(_, fetched)| (0..secs * 1000).contains(&now.millis_since(*fetched)))?;
        Some(Arc::clone(metadata))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use keyless_testkit::ManualClock;

    use super::*;

    #[tokio::test]
    async fn callers_who_hang_up_have_the_provider_asked_once_i11() {
        let (known, begun) = (Known::default(), Arc::new(AtomicUsize::new(0)));
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let (release, held) = tokio::sync::oneshot::channel::<()>();
        let mut held = Some(held);
        for _ in 0..20 {
            let (begun, held) = (Arc::clone(&begun), held.take());
            let fetch = async move {
                begun.fetch_add(1, Ordering::SeqCst);
                if let Some(held) = held {
                    _ = held.await;
                }
                Err(ProviderError::NoIdToken)
            };
            let mut call = pin!(known.get(&clock, fetch));
            assert!(poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending())).await, "and hangs up");
            tokio::task::yield_now().await;
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        release.send(()).unwrap();
        drop(known.flight.lock().await);
        let again = known.get(&clock, async { Err(ProviderError::NoIdToken) }).await;
        assert!(again.is_err() && begun.load(Ordering::SeqCst) == 1, "it cools down, although nobody waited for the answer");
    }
}
