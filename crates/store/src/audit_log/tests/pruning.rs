//! Logs whose older part was removed or lost, by their owner's word.

use super::*;

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
    let keep = Retention { before: None, max_bytes: Some(6000), spare: None };
    let pruned = log.prune(keep).unwrap().unwrap();
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
    assert_eq!(log.prune(keep).unwrap().map(|again| again.up_to.sequence > pruned.up_to.sequence), None, "nothing more may go");
}

#[test]
fn what_is_old_goes_and_the_file_that_is_written_stays_d5() {
    let (bench, log) = filled();
    let young = Retention { before: Some(Timestamp::from_unix_secs(0)), max_bytes: None, spare: None };
    assert_eq!(log.prune(young).unwrap(), None);
    assert_eq!(log.prune(Retention::default()).unwrap(), None);
    let all = Retention { before: Some(Timestamp::from_unix_secs(i64::MAX / 1000)), max_bytes: None, spare: None };
    log.prune(all).unwrap().unwrap();
    assert!(bench.reader().folder().segments().unwrap().len() <= 2, "the one that was written, and perhaps the next");
    bench.reader().verify([log.head()]).unwrap();
}

/// Whoever floods the log pushes nothing out of it that is young: the log grows beyond the wish, and says so once.
#[test]
fn no_flood_of_events_pushes_young_ones_out_d5() {
    let (bench, log) = filled();
    let secs = Timestamp::from_unix_secs;
    let wish = |spare| Retention { before: None, max_bytes: Some(6000), spare: Some(secs(spare)) };
    let files = || bench.reader().folder().segments().unwrap();
    let before = files();
    // The events are from second 1 on.
    for round in 0..2 {
        assert_eq!(log.prune(wish(1)).unwrap(), None, "round {round}");
        assert!(log.known_space().over && log.look_at_space().unwrap().over);
        let said = bench.operations().into_iter().filter(|operation| operation == "System_AuditOverSize").count();
        assert!(files().starts_with(&before) && said == 1, "{said} {:?}", files());
    }
    // What is older than the floor goes, and nothing else, however large the rest is.
    let last = bench.events().into_iter().filter(|event| event.category == Category::Data).map(|event| event.time).max().unwrap();
    assert_eq!(last, secs(30));
    log.prune(wish(10)).unwrap().expect("some are old");
    let first = bench.events().first().cloned().unwrap();
    assert!(first.time > secs(1) && first.time <= secs(10), "{first:?}");
    assert!(log.known_space().over);
    // By age it is the owner's word, and with room the alarm ends.
    log.prune(Retention { before: Some(secs(20)), ..wish(1) }).unwrap().expect("some are old enough");
    log.prune(wish(i64::MAX / 1000)).unwrap();
    assert!(!log.known_space().over);
    bench.reader().with_key(key(1)).verify([log.head()]).unwrap();
}

#[test]
fn files_that_somebody_else_removed_are_found_out_d5() {
    let (bench, log) = filled();
    let cut = log.prune(Retention { before: None, max_bytes: Some(8000), spare: None }).unwrap().unwrap();
    // With another key than the owner's, a record that takes one more file away.
    let next = bench.reader().folder().segments().unwrap()[1];
    let header = std::fs::read_to_string(bench.segment(next)).unwrap();
    let header: serde_json::Value = serde_json::from_str(header.lines().next().unwrap()).unwrap();
    let after = Anchor { sequence: header["next"].as_u64().unwrap() - 1, hash: header["prev"].as_str().unwrap().parse().unwrap() };
    assert!(after.sequence > cut.up_to.sequence);
    Start::new(next, after, Timestamp::default(), (StartReason::Pruned, String::new()), &key(2)).write(&bench.path()).unwrap();
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

/// A record that somebody else made is found out before anything goes by it: no file is made or cut.
#[test]
fn a_foreign_start_record_leads_nowhere_d9() {
    let (bench, log) = filled();
    let head = log.head();
    drop(log);
    let files = bench.reader().folder().all_segments().unwrap();
    let (first, after) = (files.last().unwrap() + 7, Anchor { sequence: head.sequence + 1000, hash: head.hash });
    Start::new(first, after, Timestamp::default(), (StartReason::Lost, "forged".into()), &key(2)).write(&bench.path()).unwrap();
    let refused = bench.try_open().map(drop).unwrap_err();
    assert!(matches!(refused, AuditLogError::ForeignStart { .. }), "{refused}");
    assert_eq!(bench.reader().folder().all_segments().unwrap(), files, "nothing was begun");
    std::fs::remove_file(bench.path().join("start.json")).unwrap();
    assert_eq!(bench.open().head(), head, "nothing was changed");
}

/// The process dies right after the record of the loss: the next start tells of it.
#[test]
fn a_crash_loses_no_event_of_a_lost_log_d9() {
    for lost in [Some(Anchor { sequence: 30, hash: keyless_audit::Hash::of(b"lost") }), None] {
        let bench = Bench::small();
        let begin = || {
            AuditLog::begin_after_loss(
                &bench.path(),
                bench.options,
                Arc::new(Still),
                Arc::new(Counting::default()),
                lost,
                "it burnt",
                &key(1),
            )
        };
        drop(begin().unwrap());
        // As it was when the record was written and nothing else.
        for number in bench.reader().folder().all_segments().unwrap() {
            std::fs::remove_file(bench.segment(number)).unwrap();
        }
        drop(bench.open());
        drop(bench.open());
        let events = bench.events();
        assert_eq!(bench.operations(), ["System_AuditLost"], "once");
        let because = &events[0].decision.as_ref().unwrap().because;
        assert!(because.contains("it burnt") && because.contains("files were kept in"), "{because}");
        let report = bench.reader().with_key(key(1)).verify(lost).unwrap();
        assert_eq!(report.head.sequence, lost.map_or(1, |lost| lost.sequence + 1));
    }
}
