//! Logs whose older part was removed or lost, by their owner's word.

use super::*;
use crate::MasterKey;

fn key(byte: u8) -> StartKey {
    StartKey::of(&MasterKey::from_bytes([byte; 32]).sealer())
}

fn filled() -> (Bench, AuditLog) {
    let bench = Bench::small();
    let log = bench.open();
    (1..=30).for_each(|n| log.record(&event(n)).unwrap());
    (bench, log)
}

fn walked(bench: &Bench, after: Option<Anchor>) -> Result<Vec<u64>, AuditLogError> {
    let mut walk = bench.reader().walk(after, [])?;
    let mut sequences = Vec::new();
    while let Some(entry) = walk.step()? {
        sequences.push(entry.sequence);
    }
    walk.finish().map(|_| sequences)
}

#[test]
fn a_pruned_log_is_verified_exported_followed_and_restarted_from_its_start_record_d5() {
    let (bench, log) = filled();
    let whole = bench.reader().verify([]).unwrap();
    let keep = Retention { before: None, max_bytes: Some(6000) };
    let pruned = log.prune(keep, &key(1)).unwrap().unwrap();
    assert!(!bench.segment(1).exists() && pruned.segments >= 1 && pruned.up_to.sequence > 1);
    let reader = bench.reader().with_key(key(1));
    let report = reader.verify([whole.head]).unwrap();
    assert_eq!(report.events, 31 - pruned.up_to.sequence, "with the event that says so");
    let told = bench.events().last().cloned().unwrap();
    assert_eq!(told.operation, "System_AuditPrune");
    assert!(told.decision.unwrap().because.ends_with(&format!("after event {}:{}", pruned.up_to.sequence, pruned.up_to.hash)));

    let first = pruned.up_to.sequence + 1;
    assert_eq!(walked(&bench, None).unwrap(), (first..=31).collect::<Vec<_>>());
    assert_eq!(walked(&bench, Some(pruned.up_to)).unwrap().first(), Some(&first), "a cursor at the cut goes on");
    let older = Anchor { sequence: 1, hash: pruned.up_to.hash };
    let refused = walked(&bench, Some(older)).unwrap_err();
    assert!(matches!(refused, AuditLogError::Pruned { .. }) && refused.to_string().contains("--from-start-of-log"), "{refused}");

    drop(log);
    let log = bench.open();
    log.check(older).unwrap();
    log.record(&event(32)).unwrap();
    assert_eq!(reader.verify([log.head()]).unwrap().head.sequence, 32);
    assert_eq!(log.prune(keep, &key(1)).unwrap().map(|again| again.up_to.sequence > pruned.up_to.sequence), None, "nothing more may go");
}

#[test]
fn what_is_old_goes_and_the_file_that_is_written_stays_d5() {
    let (bench, log) = filled();
    let young = Retention { before: Some(Timestamp::from_unix_secs(0)), max_bytes: None };
    assert_eq!(log.prune(young, &key(1)).unwrap(), None);
    assert_eq!(log.prune(Retention::default(), &key(1)).unwrap(), None);
    let all = Retention { before: Some(Timestamp::from_unix_secs(i64::MAX / 1000)), max_bytes: None };
    log.prune(all, &key(1)).unwrap().unwrap();
    assert!(bench.reader().folder().segments().unwrap().len() <= 2, "the one that was written, and perhaps the next");
    bench.reader().verify([log.head()]).unwrap();
}

#[test]
fn files_that_somebody_else_removed_are_found_out_d5() {
    let (bench, log) = filled();
    let cut = log.prune(Retention { before: None, max_bytes: Some(8000) }, &key(1)).unwrap().unwrap();
    // With another key than the owner's, a record that takes one more file away.
    let next = bench.reader().folder().segments().unwrap()[1];
    let header = std::fs::read_to_string(bench.segment(next)).unwrap();
    let header: serde_json::Value = serde_json::from_str(header.lines().next().unwrap()).unwrap();
    let after = Anchor { sequence: header["next"].as_u64().unwrap() - 1, hash: header["prev"].as_str().unwrap().parse().unwrap() };
    assert!(after.sequence > cut.up_to.sequence);
    Start::new(next, after, Timestamp::default(), StartReason::Pruned, &key(2)).write(&bench.path()).unwrap();
    let refused = bench.reader().with_key(key(1)).verify([]).unwrap_err();
    assert!(matches!(refused, AuditLogError::ForeignStart { .. }), "{refused}");
    std::fs::remove_file(bench.path().join("start.json")).unwrap();
    assert!(matches!(bench.reader().verify([]), Err(AuditLogError::Broken { .. })));
}

#[test]
fn the_owner_goes_on_after_a_lost_log_and_the_new_one_says_so_d9() {
    for cut in [false, true] {
        let (bench, log) = filled();
        let lost = log.head();
        drop(log);
        if cut {
            let last = *bench.reader().folder().segments().unwrap().last().unwrap();
            std::fs::remove_file(bench.segment(last)).unwrap();
        } else {
            std::fs::remove_dir_all(bench.path()).unwrap();
        }
        let log = bench.open();
        let refused = log.check(lost).unwrap_err();
        assert!(refused.to_string().contains("--accept-lost-log"), "{refused}");
        drop(log);
        let begin = |why| {
            AuditLog::begin_after_loss(
                &bench.path(),
                bench.options,
                Arc::new(Still),
                Arc::new(Counting::default()),
                Some(lost),
                why,
                &key(1),
            )
        };
        let log = begin(&refused.to_string()).unwrap();
        log.check(lost).unwrap();
        log.record(&event(40)).unwrap();
        drop(log);
        let log = bench.open();
        log.check(lost).unwrap();
        let events = bench.events();
        assert_eq!(events[0].operation, "System_AuditLost");
        assert!(events[0].decision.as_ref().unwrap().because.contains(&format!("{}:{}", lost.sequence, lost.hash)));
        let report = bench.reader().with_key(key(1)).verify([lost, log.head()]).unwrap();
        assert_eq!((report.events, report.head.sequence), (2, lost.sequence + 2), "no number is given twice");
        let aside = std::fs::read_dir(bench.path()).unwrap().filter_map(Result::ok).find(|entry| entry.path().is_dir()).unwrap();
        assert_eq!(std::fs::read_dir(aside.path()).unwrap().count() > 1, cut, "what is left is kept");
    }
}
