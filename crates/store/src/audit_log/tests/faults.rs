//! Full disks, failing disks, and what waits for them.

use std::time::Duration;

use keyless_audit::MOST_KEPT;

use super::*;

#[test]
fn a_full_disk_refuses_calls_leaves_no_half_line_and_heals() {
    let bench = Bench::plain();
    let log = bench.open();
    log.record(&event(1)).unwrap();
    bench.disk.full.store(true, Ordering::SeqCst);
    for n in 2..=4 {
        assert!(log.record(&event(n)).is_err());
        assert!(log.ready().is_err());
        assert_eq!(bench.reader().verify([log.head()]).unwrap().events, 1);
    }
    bench.disk.full.store(false, Ordering::SeqCst);
    log.record(&event(5)).unwrap();
    log.ready().unwrap();
    assert_eq!(bench.operations(), ["Op1", "System_AuditResume", "Op5"]);
    let because = bench.events()[1].decision.clone().unwrap().because;
    assert!(because.contains("3 events were refused"), "{because}");
    assert_eq!(bench.reader().verify([log.head()]).unwrap().events, 3);
}

#[test]
fn what_has_happened_already_is_kept_and_written_in_order_when_there_is_room() {
    let bench = Bench::plain();
    let log = bench.open();
    bench.disk.full.store(true, Ordering::SeqCst);
    assert!(log.record(&event(1)).is_err());
    for n in 2..=4 {
        assert!(log.record(&event(n)).is_err());
        log.keep(&event(n)).unwrap();
    }
    assert!(log.ready().is_err() && bench.operations().is_empty());
    bench.disk.full.store(false, Ordering::SeqCst);
    log.record(&event(5)).unwrap();
    assert_eq!(bench.operations(), ["System_AuditResume", "Op2", "Op3", "Op4", "Op5"]);
    let because = bench.events()[0].decision.clone().unwrap().because;
    assert!(because.ends_with("; 1 events were refused until now; those of 3 answers that ended meanwhile follow"), "{because}");
    log.keep(&event(6)).unwrap();
    assert_eq!(bench.reader().verify([log.head()]).unwrap().events, 6, "with room it is written at once");
}

#[test]
fn what_is_kept_has_a_bound_and_ends_with_the_process() {
    let bench = Bench::plain();
    let log = bench.open();
    bench.disk.full.store(true, Ordering::SeqCst);
    for _ in 0..MOST_KEPT {
        log.keep(&event(1)).unwrap();
    }
    assert!(log.keep(&event(2)).is_err());
    let lost = log.close().unwrap_err().reason;
    assert!(lost.ends_with(&format!("; the events of {MOST_KEPT} answers that were cut off are lost")), "{lost}");
    bench.disk.full.store(false, Ordering::SeqCst);
    log.close().unwrap();
    assert_eq!(bench.reader().verify([log.head()]).unwrap().events, 1 + MOST_KEPT as u64);
}

#[test]
fn nothing_is_kept_for_a_disk_that_only_a_restart_can_trust_again() {
    let bench = Bench::plain();
    let log = bench.open();
    log.record(&event(1)).unwrap();
    bench.disk.sync_fails.store(true, Ordering::SeqCst);
    assert!(log.flush().is_err() && log.keep(&event(2)).is_err());
}

#[test]
fn asking_whether_it_is_ready_finds_out_that_it_is_again() {
    let bench = Bench::plain();
    let log = bench.open();
    bench.disk.full.store(true, Ordering::SeqCst);
    assert!(log.record(&event(1)).is_err() && log.ready().is_err());
    bench.disk.full.store(false, Ordering::SeqCst);
    log.ready().unwrap();
    log.record(&event(2)).unwrap();
    assert_eq!(bench.operations(), ["System_AuditResume", "Op2"]);
}

#[test]
fn a_disk_that_fills_up_at_a_rotation_keeps_the_chain() {
    let bench = Bench::small();
    let log = bench.open();
    let mut n = 0;
    while std::fs::metadata(bench.segment(1)).unwrap().len() < 2000 {
        n += 1;
        log.record(&event(n)).unwrap();
    }
    bench.disk.full.store(true, Ordering::SeqCst);
    assert!(log.record(&event(100)).is_err() && log.record(&event(101)).is_err());
    assert!(bench.segment(2).exists(), "half a header was written");
    bench.disk.full.store(false, Ordering::SeqCst);
    log.record(&event(102)).unwrap();
    let report = bench.reader().verify([log.head()]).unwrap();
    assert_eq!((report.segments, report.events), (2, n + 2));
    drop(log);
    bench.open().record(&event(103)).unwrap();
    assert_eq!(bench.reader().verify([]).unwrap().events, n + 3);
}

#[test]
fn an_unconfirmed_write_stops_the_log_until_a_restart() {
    let bench = Bench::plain();
    let log = bench.open();
    log.record(&event(1)).unwrap();
    log.flush().unwrap();
    log.record(&event(2)).unwrap();
    bench.disk.sync_fails.store(true, Ordering::SeqCst);
    assert!(log.flush().is_err());
    bench.disk.sync_fails.store(false, Ordering::SeqCst);
    // The disk works again, but what became of event 2 is not known to this process.
    assert!(log.flush().is_err() && log.ready().is_err() && log.record(&event(3)).is_err());
    assert_eq!(log.anchor().unwrap().sequence, 1);
    drop(log);
    let log = bench.open();
    log.record(&event(4)).unwrap();
    assert_eq!(bench.operations(), ["Op1", "Op2", "Op4"]);
}

#[test]
fn with_strict_durability_an_event_is_on_disk_when_record_returns() {
    let bench = Bench::new(AuditLogOptions { durability: Durability::Strict, ..AuditLogOptions::default() });
    let log = bench.open();
    for n in 1..=3 {
        log.record(&event(n)).unwrap();
        assert_eq!(log.anchor(), Some(log.head()));
    }
    bench.disk.sync_fails.store(true, Ordering::SeqCst);
    assert!(log.record(&event(4)).is_err());
}

#[test]
fn with_strict_durability_concurrent_events_share_flushes() {
    let bench = Bench::new(AuditLogOptions { durability: Durability::Strict, ..AuditLogOptions::default() });
    let log = bench.open();
    let before = bench.disk.syncs.load(Ordering::SeqCst);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..50 {
                    log.record(&event(thread * 50 + n)).unwrap();
                    assert!(log.anchor().is_some_and(|anchor| anchor.sequence > 0));
                }
            });
        }
    });
    assert_eq!(log.anchor(), Some(log.head()));
    let flushes = bench.disk.syncs.load(Ordering::SeqCst) - before;
    assert!((1..=400).contains(&flushes), "{flushes} flushes for 400 events");
}

#[tokio::test]
async fn what_is_written_is_flushed_without_anybody_asking() {
    let mut bench = Bench::plain();
    let log = Arc::new(bench.open());
    while bench.synced.try_recv().is_ok() {}
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(Arc::clone(&log).run(async { _ = stopped.await }));
    for n in 1..=3 {
        assert_eq!(log.anchor().map_or(0, |anchor| anchor.sequence), n - 1);
        log.record(&event(n)).unwrap();
        tokio::time::timeout(Duration::from_secs(10), bench.synced.recv()).await.unwrap();
        // The anchor follows the sync; the next round of the same task, or this one, sees it.
        tokio::time::timeout(Duration::from_secs(10), async {
            while log.anchor().is_none_or(|anchor| anchor.sequence < n) {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }
    log.record(&event(4)).unwrap();
    stop.send(()).unwrap();
    tasks.join_next().await.unwrap().unwrap();
    assert_eq!(log.anchor(), Some(log.head()), "the last events are flushed at shutdown");
}

#[tokio::test]
async fn a_full_disk_is_found_to_have_space_again_without_anybody_asking() {
    let bench = Bench::plain();
    let log = Arc::new(bench.open());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(Arc::clone(&log).run(async { _ = stopped.await }));
    bench.disk.full.store(true, Ordering::SeqCst);
    assert!(log.record(&event(1)).is_err());
    bench.disk.full.store(false, Ordering::SeqCst);
    tokio::time::timeout(Duration::from_secs(10), async {
        while !log.good.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(bench.operations(), ["System_AuditResume"]);
    stop.send(()).unwrap();
    tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_strict_durability_an_executor_goes_on_while_the_disk_works() {
    let bench = Bench::new(AuditLogOptions { durability: Durability::Strict, ..AuditLogOptions::default() });
    let log = Arc::new(bench.open());
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=50 {
        let log = Arc::clone(&log);
        tasks.spawn(async move {
            log.record(&event(n)).unwrap();
            log.anchor().unwrap().sequence
        });
    }
    let seen = tasks.join_all().await;
    assert_eq!(log.anchor(), Some(log.head()));
    assert!(seen.into_iter().all(|sequence| sequence > 0));
    assert_eq!(bench.reader().verify([log.head()]).unwrap().events, 50);
}

/// There is one thread: held up by the disk, it would never release it.
#[tokio::test]
async fn with_strict_durability_a_thread_goes_on_while_the_disk_confirms_what_its_work_wrote_d15() {
    let bench = Bench::new(AuditLogOptions { durability: Durability::Strict, ..AuditLogOptions::default() });
    let log = Arc::new(bench.open());
    let audit: Arc<dyn AuditSink> = Arc::clone(&log) as _;
    let (release, slow) = std::sync::mpsc::channel();
    *bench.disk.slow.lock().unwrap() = Some(slow);
    let (wrote, has_written) = tokio::sync::oneshot::channel();
    let work = confirmed(&audit, async {
        log.record(&event(1)).unwrap();
        wrote.send(()).unwrap();
        log.head().sequence
    });
    let other = async {
        has_written.await.unwrap();
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let on_disk = log.anchor().map(|anchor| anchor.sequence);
        release.send(()).unwrap();
        on_disk
    };
    let (done, before) = tokio::join!(work, other);
    assert_eq!((before, done.unwrap(), log.anchor().unwrap().sequence), (None, 1, 1), "the work ended when its event was on disk");
    bench.disk.sync_fails.store(true, Ordering::SeqCst);
    assert!(confirmed(&audit, async { log.record(&event(2)) }).await.is_err(), "what is not on disk is not told");
    assert!(confirmed(&audit, async { 7 }).await.is_ok_and(|seven| seven == 7), "what wrote nothing waits for nothing");
}
