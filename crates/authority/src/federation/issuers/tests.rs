//! The cache of issuers' keys: its bounds in time and number of fetches.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use keyless_testkit::ManualClock;

use super::*;

const ISSUER: &str = "https://ci.example";
/// A 2048-bit modulus; nobody knows its factors, and nobody needs to.
const N: &str = "u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0_IzW7yWR7QkrmBL7jTKEn5u-qKhbwKfBstIs-bMY2Zkp18gnTxKLxoS2tFczGkPLPgizskuemMghRniWaoLcyehkd3qqGElvW_VDL5AaWTg0nLVkjRo9z-40RQzuVaE8AkAFmxZzow3x-VJYKdjykkJ0iT9wCS0DRTXu269V264Vf_3jvredZiKRkgwlL9xNAwxXFg0x_XFw005UWVRIkdgcKWTjpBP2dPwVZ4WWC-9aGVd-Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbjXfbcmw";

/// Answers as told, and counts the fetches of key sets.
#[derive(Debug, Default)]
struct Script {
    documents: Mutex<HashMap<String, Vec<u8>>>,
    down: Mutex<bool>,
    hang: Mutex<bool>,
    /// How long each key set takes.
    slow: Mutex<Duration>,
    fetches: AtomicUsize,
}

#[async_trait]
impl HttpFetch for Script {
    async fn get(&self, url: &Uri, _: &Place) -> Result<Vec<u8>, FetchError> {
        if url.path().ends_with("/keys") {
            self.fetches.fetch_add(1, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
        let slow = *self.slow.lock().unwrap();
        if url.path().ends_with("/keys") && slow > Duration::ZERO {
            tokio::time::sleep(slow).await;
        }
        if *self.hang.lock().unwrap() && url.host() == Some("ci.example") {
            std::future::pending::<()>().await;
        }
        if *self.down.lock().unwrap() {
            let source = std::io::Error::other("invalid peer certificate: CaUsedAsEndEntity");
            return Err(FetchError::Connect { host: "ci.example".into(), source });
        }
        self.documents.lock().unwrap().get(&url.to_string()).cloned().ok_or(FetchError::Resolve("nobody".into()))
    }
}

struct World {
    script: Arc<Script>,
    clock: Arc<ManualClock>,
    issuers: ExternalIssuers,
}

fn world() -> World {
    let script = Arc::new(Script::default());
    let clock = Arc::new(ManualClock::default());
    let issuers = ExternalIssuers::new(Arc::clone(&script) as _, Arc::clone(&clock) as _, Vec::new());
    let world = World { script, clock, issuers };
    world.publish(&["k1"]);
    world
}

impl World {
    fn publish(&self, kids: &[&str]) {
        let keys: Vec<_> = kids.iter().map(|kid| serde_json::json!({"kty": "RSA", "kid": kid, "n": N, "e": "AQAB"})).collect();
        let mut documents = self.script.documents.lock().unwrap();
        let discovery = serde_json::json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys")});
        documents.insert(format!("{ISSUER}/.well-known/openid-configuration"), discovery.to_string().into_bytes());
        documents.insert(format!("{ISSUER}/keys"), serde_json::json!({ "keys": keys }).to_string().into_bytes());
    }

    fn fetches(&self) -> usize {
        self.script.fetches.load(Ordering::SeqCst)
    }

    async fn has(&self, kid: &str) -> Option<bool> {
        self.issuers.keys(ISSUER, Want::Kid(kid)).await.ok().map(|keys| keys.names(kid))
    }
}

#[tokio::test]
async fn a_thousand_unknown_kids_cause_one_fetch_per_cool_down_n60() {
    let world = world();
    assert_eq!(world.has("k1").await, Some(true));
    for n in 0..1000 {
        world.clock.advance_millis(1);
        assert_eq!(world.has(&format!("unknown-{n}")).await, Some(false));
    }
    assert_eq!(world.fetches(), 1);
    world.clock.advance_secs(COOL_DOWN_SECS);
    for n in 0..1000 {
        assert_eq!(world.has(&format!("unknown-{n}")).await, Some(false));
    }
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn many_callers_at_once_cause_one_fetch_f10() {
    let world = Arc::new(world());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let world = Arc::clone(&world);
        callers.spawn(async move { world.has("k1").await });
    }
    while let Some(found) = callers.join_next().await {
        assert_eq!(found.unwrap(), Some(true));
    }
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_once_the_cool_down_is_over() {
    let world = world();
    assert_eq!(world.has("k1").await, Some(true));
    world.publish(&["k1", "k2"]);
    assert_eq!(world.has("k2").await, Some(false));
    world.clock.advance_secs(COOL_DOWN_SECS);
    assert_eq!(world.has("k2").await, Some(true));
}

#[tokio::test]
async fn an_issuer_that_fails_is_served_from_the_cache_until_it_is_too_old_n59() {
    let world = world();
    assert_eq!(world.has("k1").await, Some(true));
    *world.script.down.lock().unwrap() = true;
    world.clock.advance_secs(STALE_SECS - 1);
    assert_eq!(world.has("k1").await, Some(true));
    world.clock.advance_secs(COOL_DOWN_SECS);
    assert_eq!(world.has("k1").await, None);
}

#[tokio::test]
async fn a_cold_issuer_that_fails_is_unavailable_and_not_asked_again_at_once_n59() {
    let world = world();
    *world.script.down.lock().unwrap() = true;
    for _ in 0..100 {
        assert_eq!(world.has("k1").await, None);
    }
    *world.script.down.lock().unwrap() = false;
    assert_eq!(world.has("k1").await, None, "the cool-down holds for failures, too");
    world.clock.advance_secs(COOL_DOWN_SECS);
    assert_eq!(world.has("k1").await, Some(true));
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn why_keys_could_not_be_fetched_is_told_down_to_its_cause_u25() {
    let world = world();
    *world.script.down.lock().unwrap() = true;
    for _ in 0..2 {
        let told = world.issuers.keys(ISSUER, Want::Kid("k1")).await.map(drop).unwrap_err().to_string();
        assert!(told.ends_with("the host `ci.example` cannot be reached: invalid peer certificate: CaUsedAsEndEntity"), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_is_given_up_after_two_seconds_n58() {
    let world = world();
    *world.script.hang.lock().unwrap() = true;
    let started = tokio::time::Instant::now();
    assert_eq!(world.has("k1").await, None);
    assert!(started.elapsed() <= DEADLINE + Duration::from_millis(10), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_keeps_nobody_from_another_n58() {
    let world = Arc::new(world());
    let other = "https://other.example";
    let mut documents: Vec<_> = world.script.documents.lock().unwrap().clone().into_iter().collect();
    for (url, document) in &mut documents {
        *url = url.replace(ISSUER, other);
        *document = String::from_utf8(document.clone()).unwrap().replace(ISSUER, other).into_bytes();
    }
    world.script.documents.lock().unwrap().extend(documents);
    *world.script.hang.lock().unwrap() = true;
    let hanging = {
        let world = Arc::clone(&world);
        tokio::task::JoinSet::from_iter([async move { world.has("k1").await }])
    };
    tokio::task::yield_now().await;
    let started = tokio::time::Instant::now();
    assert!(world.issuers.keys(other, Want::Kid("k1")).await.unwrap().names("k1"));
    assert_eq!(started.elapsed(), Duration::ZERO, "while the first one still hangs");
    assert_eq!(hanging.join_all().await, [None]);
}

#[tokio::test(start_paused = true)]
async fn while_one_caller_waits_for_a_slow_issuer_the_others_use_what_is_known_f10() {
    let world = Arc::new(world());
    assert_eq!(world.has("k1").await, Some(true));
    world.clock.advance_secs(REFRESH_SECS);
    *world.script.hang.lock().unwrap() = true;
    let slow = {
        let world = Arc::clone(&world);
        tokio::task::JoinSet::from_iter([async move { world.has("k1").await }])
    };
    tokio::task::yield_now().await;
    let started = tokio::time::Instant::now();
    assert_eq!(world.has("k1").await, Some(true));
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(slow.join_all().await, [Some(true)], "the last keys stand in");
}

#[tokio::test]
async fn a_withdrawn_key_stops_counting_within_the_refresh_interval_n61() {
    let world = world();
    assert_eq!(world.has("k1").await, Some(true));
    world.publish(&["k2"]);
    world.clock.advance_secs(REFRESH_SECS);
    assert_eq!(world.has("k1").await, Some(false));
}

#[tokio::test]
async fn a_clock_that_goes_back_makes_keys_old_never_young_f6() {
    let world = world();
    assert_eq!(world.has("k1").await, Some(true));
    world.publish(&["k2"]);
    world.clock.advance_secs(-3600);
    assert_eq!(world.has("k1").await, Some(false));
}

#[tokio::test]
async fn other_keys_are_asked_for_once_n62() {
    let world = world();
    let first = world.issuers.keys(ISSUER, Want::Kid("k1")).await.unwrap();
    world.clock.advance_secs(COOL_DOWN_SECS);
    let second = world.issuers.keys(ISSUER, Want::OtherThan(&first)).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    for _ in 0..100 {
        world.issuers.keys(ISSUER, Want::OtherThan(&second)).await.unwrap();
    }
    assert_eq!(world.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn callers_who_go_away_neither_end_a_fetch_nor_cause_another_n60() {
    let world = world();
    *world.script.slow.lock().unwrap() = Duration::from_secs(1);
    for _ in 0..20 {
        let gone = tokio::time::timeout(Duration::from_millis(10), world.has("k1")).await;
        assert!(gone.is_err(), "nobody waited for the answer");
    }
    let started = tokio::time::Instant::now();
    assert_eq!(world.has("k1").await, Some(true));
    assert!(started.elapsed() < Duration::from_secs(1), "it went on meanwhile: {:?}", started.elapsed());
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn a_crowd_of_issuers_ends_no_cool_down_i15() {
    let mut world = world();
    world.issuers.most = 3;
    *world.script.down.lock().unwrap() = true;
    assert_eq!(world.has("k1").await, None);
    for n in 0..20 {
        let other = format!("https://ci-{n}.example");
        assert!(world.issuers.keys(&other, Want::Kid("k1")).await.is_err());
        assert!(world.issuers.issuers.lock().unwrap().len() <= 3);
    }
    *world.script.down.lock().unwrap() = false;
    assert_eq!(world.has("k1").await, None, "still within the cool-down: it was not forgotten");
    assert_eq!(world.fetches(), 0);
    world.clock.advance_secs(COOL_DOWN_SECS);
    assert_eq!(world.has("k1").await, Some(true));
    assert!(world.issuers.keys("https://late.example", Want::Kid("k1")).await.is_err());
    assert_eq!((world.has("k1").await, world.fetches()), (Some(true), 1), "nor were its keys");
}
