//! The provider's metadata, remembered: asked for seldom, by one at a time, and kept while the provider is away.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyless_model::{Clock, Timestamp};

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
    state: Mutex<State>,
    /// Held by the one who fetches; the fetch has a deadline.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    found: Option<(Arc<Metadata>, Timestamp)>,
    attempted: Option<Timestamp>,
}

impl Known {
    /// The metadata, through `fetch` when it is not known or too old.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        fetch: impl Future<Output = Result<Metadata, ProviderError>>,
    ) -> Result<Arc<Metadata>, ProviderError> {
        if let Some(metadata) = self.younger_than(FRESH_SECS, clock.now()) {
            return Ok(metadata);
        }
        let _flight = self.flight.lock().await;
        if let Some(metadata) = self.younger_than(FRESH_SECS, clock.now()) {
            return Ok(metadata);
        }
        let cools_down = |attempted: Timestamp| (0..COOL_DOWN_SECS * 1000).contains(&clock.now().millis_since(attempted));
        if self.state().attempted.is_some_and(cools_down) {
            return self.younger_than(STALE_SECS, clock.now()).ok_or(ProviderError::AskedJustNow);
        }
        let fetched = fetch.await;
        let now = clock.now();
        self.state().attempted = Some(now);
        match fetched {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                self.state().found = Some((Arc::clone(&metadata), now));
                Ok(metadata)
            }
            Err(error) => self.younger_than(STALE_SECS, now).ok_or(error),
        }
    }

    fn younger_than(&self, secs: i64, now: Timestamp) -> Option<Arc<Metadata>> {
        let state = self.state();
        // A clock that went back makes the age negative: ask anew.
        let (metadata, _) = state.found.as_ref().filter(|(_, fetched)| (0..secs * 1000).contains(&now.millis_since(*fetched)))?;
        Some(Arc::clone(metadata))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
