//! The keys of external issuers, cached: fresh for a while, refetched seldom, kept while the issuer is away.
//!
//! The figures are the bounds that operators may rely on; see the constants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Uri;
use keyless_model::{Clock, Timestamp};
use keyless_token::jwks::{ExternalKeys, JwksError};
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinSet;

use super::TrustedIssuer;
use super::discovery::{DiscoveryError, document_url, jwks_url};
use super::fetch::{FetchError, HttpFetch, Place};

/// Both documents together take at most this long: the whole exchange is then answered within two seconds (cases 58, F10).
const DEADLINE: Duration = Duration::from_millis(1_500);
/// Keys are asked for again after this: the bound within which a key that the issuer withdrew stops counting (case 61).
const REFRESH_SECS: i64 = 600;
/// At most one fetch per issuer in this time, whatever strangers send (case 60).
const COOL_DOWN_SECS: i64 = 30;
/// While the issuer is away its last keys count this long (case 59).
const STALE_SECS: i64 = 24 * 3600;
/// Issuers remembered; far more than any directory trusts.
const MAX_ISSUERS: usize = 4096;

/// Why there are no keys to check with: the client may try again later.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the keys of an external issuer cannot be had: {0}")]
pub struct KeysUnavailable(String);

/// What the caller needs the keys for.
#[derive(Debug, Clone, Copy)]
pub enum Want<'a> {
    /// A key of this name.
    Kid(&'a str),
    /// Other keys than these: they know the name, and the signature does not match (case 62).
    OtherThan(&'a Arc<ExternalKeys>),
}

/// All external issuers. Only those that someone registered are ever asked for here: in a federated credential, or as a trusted tenant.
#[derive(Debug)]
pub struct ExternalIssuers {
    fetcher: Arc<Fetcher>,
    issuers: Mutex<HashMap<String, Arc<IssuerCache>>>,
    /// The fetches under way, at most one per issuer.
    fetches: Mutex<JoinSet<()>>,
    most: usize,
}

#[derive(Debug)]
struct Fetcher {
    fetch: Arc<dyn HttpFetch>,
    clock: Arc<dyn Clock>,
    named: Vec<TrustedIssuer>,
}

#[derive(Debug, Default)]
struct IssuerCache {
    state: Mutex<CacheState>,
    /// Held by the fetch under way.
    flight: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Clone, Default)]
struct CacheState {
    keys: Option<(Arc<ExternalKeys>, Timestamp)>,
    attempted: Option<Timestamp>,
    /// Why the last attempt failed.
    failure: Option<String>,
}

/// What a look into the cache says.
enum Look {
    Found(Arc<ExternalKeys>),
    /// Usable if nothing better can be had.
    Refetch(Option<Arc<ExternalKeys>>),
}

impl ExternalIssuers {
    /// `named` are the issuers that the operator named.
    #[must_use]
    pub fn new(fetch: Arc<dyn HttpFetch>, clock: Arc<dyn Clock>, named: Vec<TrustedIssuer>) -> Self {
        Self { fetcher: Arc::new(Fetcher { fetch, clock, named }), issuers: Mutex::default(), fetches: Mutex::default(), most: MAX_ISSUERS }
    }

    /// The issuer's keys. They may lack the wanted one: then the issuer does not have it.
    ///
    /// # Errors
    /// When the issuer cannot be asked and its last keys are too old.
    pub async fn keys(&self, issuer: &str, want: Want<'_>) -> Result<Arc<ExternalKeys>, KeysUnavailable> {
        self.cached(issuer, want, None).await
    }

    /// The same, of an issuer whose key set the caller knows to be at `jwks`.
    pub(crate) async fn keys_at(
        &self,
        issuer: &str,
        jwks: &Uri,
        place: &Place,
        want: Want<'_>,
    ) -> Result<Arc<ExternalKeys>, KeysUnavailable> {
        self.cached(issuer, want, Some((jwks, place))).await
    }

    async fn cached(&self, issuer: &str, want: Want<'_>, known: Option<(&Uri, &Place)>) -> Result<Arc<ExternalKeys>, KeysUnavailable> {
        let clock = &self.fetcher.clock;
        let cache = self.cache(issuer).ok_or_else(|| KeysUnavailable("too many issuers are asked at once".to_owned()))?;
        let fallback = match cache.look(want, clock.now()) {
            Look::Found(keys) => return Ok(keys),
            Look::Refetch(fallback) => fallback,
        };
        match (Arc::clone(&cache.flight).try_lock_owned(), fallback) {
            (Ok(flight), _) => {
                if let Look::Found(keys) = cache.look(want, clock.now()) {
                    return Ok(keys);
                }
                if cache.cools_down(clock.now()) {
                    return cache.fallback(clock.now());
                }
                self.start(issuer, known, &cache, flight);
            }
            // While a fetch is under way, keys that would do need not wait for it.
            (Err(_), Some(keys)) if matches!(want, Want::Kid(kid) if keys.names(kid)) => return Ok(keys),
            (Err(_), _) => {}
        }
        drop(cache.flight.lock().await);
        match cache.look(want, clock.now()) {
            Look::Found(keys) => Ok(keys),
            Look::Refetch(_) => cache.fallback(clock.now()),
        }
    }

    /// Begins a fetch that ends by itself. SECURITY: a caller who goes away must not end it: strangers could then keep an issuer's keys
    /// from ever arriving, or have it asked again and again.
    fn start(&self, issuer: &str, known: Option<(&Uri, &Place)>, cache: &Arc<IssuerCache>, flight: OwnedMutexGuard<()>) {
        let (fetcher, cache, issuer) = (Arc::clone(&self.fetcher), Arc::clone(cache), issuer.to_owned());
        let known = known.map(|(jwks, place)| (jwks.clone(), place.clone()));
        let mut fetches = self.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        while fetches.try_join_next().is_some() {}
        fetches.spawn(async move {
            fetcher.refresh(&issuer, known, &cache).await;
            drop(flight);
        });
    }

    fn cache(&self, issuer: &str) -> Option<Arc<IssuerCache>> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if issuers.len() >= self.most && !issuers.contains_key(issuer) {
            make_room(&mut issuers, self.fetcher.clock.now());
        }
        if issuers.len() >= self.most && !issuers.contains_key(issuer) {
            return None;
        }
        Some(Arc::clone(issuers.entry(issuer.to_owned()).or_default()))
    }
}

/// Forgets the issuer that was asked longest ago. SECURITY: never one that cools down or is asked right now: whoever may name many
/// issuers must not be able to have one asked again and again, nor end what others wait for.
fn make_room(issuers: &mut HashMap<String, Arc<IssuerCache>>, now: Timestamp) {
    let idle = issuers.iter().filter(|(_, cache)| !cache.cools_down(now) && cache.flight.try_lock().is_ok());
    let oldest = idle.min_by_key(|(_, cache)| cache.state().attempted).map(|(issuer, _)| issuer.clone());
    if let Some(issuer) = oldest {
        issuers.remove(&issuer);
    }
}

impl Fetcher {
    /// Asks the issuer and remembers what came of it.
    async fn refresh(&self, issuer: &str, known: Option<(Uri, Place)>, cache: &IssuerCache) {
        let fetch = async {
            match known {
                Some((jwks, place)) => self.fetch_set(&jwks, &place).await,
                None => self.fetch_keys(issuer).await,
            }
        };
        let fetched = tokio::time::timeout(DEADLINE, fetch).await;
        let fetched = fetched.unwrap_or_else(|_| Err(FetchError::Deadline(issuer.to_owned()).into()));
        match fetched {
            Ok(keys) => cache.store(Some(Arc::new(keys)), None, self.clock.now()),
            Err(error) => {
                let why = Chain(&error).to_string();
                tracing::warn!(issuer, error = why, "an external issuer's keys could not be fetched");
                cache.store(None, Some(why), self.clock.now());
            }
        }
    }

    async fn fetch_keys(&self, issuer: &str) -> Result<ExternalKeys, IssuerError> {
        let named = self.named.iter().find(|named| named.issuer == issuer);
        let place = match named {
            Some(named) => Place::Named { certificates: named.certificates.clone() },
            None => Place::Public,
        };
        let jwks: Uri = match named.and_then(|named| named.jwks_uri.as_deref()) {
            Some(url) => url.parse().map_err(|_| FetchError::Url(url.to_owned()))?,
            None => jwks_url(issuer, &self.fetch.get(&document_url(issuer)?, &place).await?)?,
        };
        self.fetch_set(&jwks, &place).await
    }

    async fn fetch_set(&self, jwks: &Uri, place: &Place) -> Result<ExternalKeys, IssuerError> {
        Ok(ExternalKeys::parse(&self.fetch.get(jwks, place).await?)?)
    }
}

impl IssuerCache {
    fn state(&self) -> std::sync::MutexGuard<'_, CacheState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, want: Want<'_>, now: Timestamp) -> Look {
        let state = self.state();
        let Some((keys, fetched)) = &state.keys else { return Look::Refetch(None) };
        // A clock that went back makes the age negative: fetch anew rather than trust a time that has not come.
        let age_secs = now.millis_since(*fetched) / 1000;
        let fresh = (0..REFRESH_SECS).contains(&age_secs);
        let wanted = match want {
            Want::Kid(kid) => keys.names(kid),
            Want::OtherThan(known) => !Arc::ptr_eq(keys, known),
        };
        if fresh && wanted { Look::Found(Arc::clone(keys)) } else { Look::Refetch(Some(Arc::clone(keys))) }
    }

    fn cools_down(&self, now: Timestamp) -> bool {
        self.state().attempted.is_some_and(|attempted| (0..COOL_DOWN_SECS * 1000).contains(&now.millis_since(attempted)))
    }

    /// The keys there are, unless they are too old.
    fn fallback(&self, now: Timestamp) -> Result<Arc<ExternalKeys>, KeysUnavailable> {
        let state = self.state();
        match &state.keys {
            Some((keys, fetched)) if now.millis_since(*fetched).abs() / 1000 < STALE_SECS => Ok(Arc::clone(keys)),
            _ => Err(KeysUnavailable(state.failure.clone().unwrap_or_else(|| "it was asked a moment ago".to_owned()))),
        }
    }

    fn store(&self, keys: Option<Arc<ExternalKeys>>, failure: Option<String>, now: Timestamp) {
        let mut state = self.state();
        state.attempted = Some(now);
        state.failure = failure;
        if let Some(keys) = keys {
            state.keys = Some((keys, now));
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum IssuerError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    #[error(transparent)]
    Keys(#[from] JwksError),
}

/// An error with its sources, on one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
