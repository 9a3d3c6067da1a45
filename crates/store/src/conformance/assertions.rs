//! Used assertions: each is the first once, whatever the clock does.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use keyless_model::{OpContext, Timestamp};
use keyless_token::replay::ReplayKey;

use super::{Subject, ctx};
use crate::{Admission, Presented, Store};

/// Offers assertion `n`, which expires at second `until`, at second `now`.
async fn offer(store: &dyn Store, n: u64, until: i64, now: i64, capacity: u64) -> Admission {
    let ctx = OpContext { now: Timestamp::from_unix_secs(now), ..ctx(n.into()) };
    let source = Some(IpAddr::from([192, 0, 2, n.to_le_bytes()[0]]));
    let presented = Presented { key: ReplayKey::of("client", &n.to_string()), until: Timestamp::from_unix_secs(until), source, capacity };
    store.admit_assertion(&ctx, presented).await.expect("the store answers")
}

pub async fn an_assertion_is_first_once_n40(subject: &impl Subject) {
    let store = subject.open();
    assert_eq!(offer(&*store, 1, 100, 0, 10).await, Admission::First);
    let first = Some(IpAddr::from([192, 0, 2, 1]));
    assert_eq!(offer(&*store, 1, 100, 0, 10).await, Admission::Again { first });
    assert_eq!(offer(&*store, 1, 100, 99, 10).await, Admission::Again { first }, "to its last second");
    assert_eq!(offer(&*store, 1, 100, 100, 10).await, Admission::TooLate);
    assert_eq!(offer(&*store, 2, 100, 0, 10).await, Admission::TooLate, "it could have been forgotten with the other");
    assert_eq!(offer(&*store, 3, 101, 0, 10).await, Admission::First);
}

pub async fn of_many_at_once_one_is_first_n41(subject: &impl Subject) {
    let store = subject.open();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { offer(&*store, n % 4, 100, 0, 10).await });
    }
    let first = tasks.join_all().await.into_iter().filter(|admission| *admission == Admission::First).count();
    assert_eq!(first, 4, "as many as there are assertions");
}

pub async fn a_full_memory_refuses_and_forgets_nothing_f22(subject: &impl Subject) {
    let store = subject.open();
    for n in 0..50 {
        assert_eq!(offer(&*store, n, 100 + i64::try_from(n).expect("small"), 0, 50).await, Admission::First);
    }
    assert_eq!(offer(&*store, 50, 500, 99, 50).await, Admission::Full);
    for n in 0..50 {
        let again = offer(&*store, n, 100 + i64::try_from(n).expect("small"), 99, 50).await;
        assert!(matches!(again, Admission::Again { .. }), "{n}: {again:?}");
    }
    assert_eq!(offer(&*store, 50, 500, 100, 50).await, Admission::First, "one has expired and left");
    assert_eq!(offer(&*store, 51, 500, 100, 50).await, Admission::Full);
}

/// The clock jumps to and fro; an assertion's expiry is its own.
pub async fn no_assertion_is_first_twice_whatever_the_clock_does_f7(subject: &impl Subject) {
    let store = subject.open();
    let mut admitted = BTreeSet::new();
    let (mut random, mut now) = (0x9E37_79B9_u64, 10_000_i64);
    for _ in 0..4000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = |shift: u32, below: u64| i64::try_from((random >> shift) % below).expect("small");
        now = if pick(20, 50) == 0 { now - 3600 } else { now + pick(30, 20) };
        let n = (random >> 40) % 3000;
        let until = 10_000 + i64::try_from(n).expect("small") * 10;
        if offer(&*store, n, until, now, 1000).await == Admission::First {
            assert!(admitted.insert(n), "assertion {n} was let through twice");
        }
    }
    assert!(admitted.len() > 300, "the walk admits enough to mean something: {}", admitted.len());
}

/// Fault F7: an hour back while the memory is live, and after it has been cleared.
pub async fn a_clock_that_steps_back_brings_no_assertion_back_f7(subject: &impl Subject) {
    let store = subject.open();
    for n in 0..1000 {
        assert_eq!(offer(&*store, n, 7200, 3600, 2000).await, Admission::First);
    }
    let mut accepted = 0;
    // Live, an hour back; then all have expired and one clears them away; then an hour back again.
    for now in [0, 7300, 3700] {
        for n in 0..1000 {
            accepted += u32::from(offer(&*store, n, 7200, now, 2000).await == Admission::First);
        }
    }
    assert_eq!(accepted, 0, "replays accepted");
    assert_eq!(offer(&*store, 5000, 7500, 3700, 2000).await, Admission::First, "what expires later is not held up");
}

pub async fn used_assertions_survive_reopening_n42(subject: &impl Subject) {
    let store = subject.open();
    offer(&*store, 1, 100, 0, 10).await;
    offer(&*store, 2, 50, 0, 10).await;
    offer(&*store, 3, 200, 60, 10).await;
    drop(store);
    let store = subject.open();
    assert!(matches!(offer(&*store, 1, 100, 60, 10).await, Admission::Again { first: Some(_) }));
    assert_eq!(offer(&*store, 2, 50, 0, 10).await, Admission::TooLate, "what was forgotten is not forgotten to have been");
    assert_eq!(offer(&*store, 4, 100, 60, 3).await, Admission::First, "two are kept");
    assert_eq!(offer(&*store, 5, 100, 60, 3).await, Admission::Full);
}
