//! What a process finds when the one before was killed, or when somebody changed the files.

use keyless_audit::verify::Why;

use super::*;

fn why(error: AuditLogError) -> Why {
    match error {
        AuditLogError::Broken { broken, .. } => broken.why,
        other => panic!("not a broken log: {other}"),
    }
}

#[test]
fn a_log_cut_at_any_byte_of_its_last_line_goes_on() {
    let bench = Bench::plain();
    let log = bench.open();
    log.record(&event(1)).unwrap();
    let whole = std::fs::metadata(bench.segment(1)).unwrap().len();
    log.record(&event(2)).unwrap();
    drop(log);
    let bytes = std::fs::read(bench.segment(1)).unwrap();
    let all = bytes.len() as u64;
    // Every byte near the ends, where the form matters, and every so often between.
    for length in (whole..all).filter(|length| length - whole < 12 || all - length < 12 || length % 17 == 0) {
        std::fs::write(bench.segment(1), &bytes[..usize::try_from(length).unwrap()]).unwrap();
        let log = bench.open();
        log.record(&event(3)).unwrap();
        drop(log);
        let operations = bench.operations();
        if length == whole {
            assert_eq!(operations, ["Op1", "Op3"]);
        } else {
            assert_eq!(operations, ["Op1", "System_AuditRecover", "Op3"]);
            let because = bench.events()[1].decision.clone().unwrap().because;
            assert!(because.contains(&format!("{} bytes", length - whole)), "{because}");
        }
        bench.reader().verify([]).unwrap();
    }
}

#[test]
fn zeros_that_a_power_failure_left_at_the_end_are_cut() {
    let bench = Bench::plain();
    bench.open().record(&event(1)).unwrap();
    let mut bytes = std::fs::read(bench.segment(1)).unwrap();
    bytes.extend([0; 5000]);
    std::fs::write(bench.segment(1), bytes).unwrap();
    bench.open().record(&event(2)).unwrap();
    assert_eq!(bench.operations(), ["Op1", "System_AuditRecover", "Op2"]);
}

#[test]
fn a_process_killed_while_starting_a_segment_is_no_loss() {
    let bench = Bench::small();
    let log = bench.open();
    let mut n = 0;
    while !bench.segment(2).exists() {
        n += 1;
        log.record(&event(n)).unwrap();
    }
    drop(log);
    let header = std::fs::read(bench.segment(2)).unwrap();
    for length in [0, 1, 40] {
        std::fs::write(bench.segment(2), &header[..length]).unwrap();
        drop(bench.open());
        let report = bench.reader().verify([]).unwrap();
        assert_eq!((report.segments, report.events), (2, n - 1 + u64::from(length > 0)), "{length}");
    }
}

#[test]
fn a_first_segment_without_a_line_is_begun_anew() {
    let bench = Bench::plain();
    drop(bench.open());
    std::fs::write(bench.segment(1), b"").unwrap();
    bench.open().record(&event(1)).unwrap();
    assert_eq!(bench.reader().verify([]).unwrap().events, 1);
}

#[test]
fn a_changed_line_near_the_end_is_not_written_after() {
    let bench = Bench::plain();
    let log = bench.open();
    (1..=3).for_each(|n| log.record(&event(n)).unwrap());
    drop(log);
    let good = std::fs::read_to_string(bench.segment(1)).unwrap();
    let changed = good.replace("Op2", "Op9");
    assert_ne!(good, changed);
    std::fs::write(bench.segment(1), changed).unwrap();
    let error = bench.try_open().unwrap_err();
    assert!(error.to_string().contains("evidence"), "{error}");
    assert_eq!(why(error), Why::Line(keyless_audit::LineError::Changed));
    let lines: Vec<_> = good.lines().collect();
    std::fs::write(bench.segment(1), format!("{}\n{}\n{}\n", lines[0], lines[1], lines[3])).unwrap();
    assert_eq!(why(bench.try_open().unwrap_err()), Why::Removed { expected: 2, found: 3 });
}

#[test]
fn only_the_end_of_a_long_segment_is_read_and_lines_longer_than_that_are_fine() {
    let bench = Bench::plain();
    let log = bench.open();
    let mut long = event(1);
    long.operation = "x".repeat(1 << 18).into();
    (0..8).for_each(|_| log.record(&long).unwrap());
    long.operation = "y".repeat(3 << 20).into();
    log.record(&long).unwrap();
    drop(log);
    let log = bench.open();
    log.record(&event(2)).unwrap();
    drop(log);
    bench.open().record(&event(3)).unwrap();
    assert_eq!(bench.reader().verify([]).unwrap().events, 11);
    let newest: Vec<_> =
        bench.reader().events(Order::NewestFirst, Filter::default()).unwrap().map(|entry| entry.unwrap().sequence).collect();
    assert_eq!(newest, (1..=11).rev().collect::<Vec<_>>());
}

#[test]
fn an_anchor_finds_a_cut_a_replaced_and_an_emptied_log() {
    let bench = Bench::small();
    let log = bench.open();
    (1..=20).for_each(|n| log.record(&event(n)).unwrap());
    let (head, early) = (log.head(), {
        let entry = bench.reader().events(Order::OldestFirst, Filter::default()).unwrap().next().unwrap().unwrap();
        Anchor { sequence: entry.sequence, hash: entry.hash }
    });
    log.check(head).unwrap();
    log.check(early).unwrap();
    let other = Anchor { sequence: early.sequence, hash: head.hash };
    assert_eq!(why(log.check(other).unwrap_err()), Why::Replaced { anchor: other });
    drop(log);

    let last = (1..).take_while(|number| bench.segment(*number).exists()).last().unwrap();
    std::fs::remove_file(bench.segment(last)).unwrap();
    let log = bench.open();
    assert!(matches!(why(log.check(head).unwrap_err()), Why::Truncated { .. }));
    assert!(matches!(why(bench.reader().verify([head]).unwrap_err()), Why::Truncated { .. }));
    drop(log);
    std::fs::remove_dir_all(bench.path()).unwrap();
    let log = bench.open();
    assert!(matches!(why(log.check(head).unwrap_err()), Why::Truncated { .. }));
}
