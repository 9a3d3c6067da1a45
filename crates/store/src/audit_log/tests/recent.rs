//! Reading the newest events of a span of time costs that span.

use std::cell::Cell;

use super::*;

const DAY: i64 = 24 * 3600;

fn at(secs: i64, category: Category) -> AuditEvent {
    let ctx = OpContext::new(RequestId::from_u128(secs.unsigned_abs().into()), Timestamp::from_unix_secs(secs), Actor::Anonymous);
    AuditEvent::new(&ctx, category, format!("At{secs}"), Outcome::Allowed)
}

/// A month of calls, a token and a change each day.
fn month() -> Bench {
    let bench = Bench::new(AuditLogOptions { segment_bytes: 20_000, ..AuditLogOptions::default() });
    let log = bench.open();
    for day in 0..30 {
        for n in 0..20 {
            log.record(&at(day * DAY + n * 60, Category::Data)).unwrap();
        }
        log.record(&at(day * DAY + 2000, Category::Token)).unwrap();
        log.record(&at(day * DAY + 3000, Category::Control)).unwrap();
    }
    bench
}

/// What was found, and how many lines were looked at.
fn recent(bench: &Bench, since: i64, until: i64, request: Option<u128>) -> (Vec<String>, usize) {
    let filter = Filter {
        since: Some(Timestamp::from_unix_secs(since)),
        until: Some(Timestamp::from_unix_secs(until)),
        category: Some(Category::Control),
        request_id: request.map(RequestId::from_u128),
        ..Filter::default()
    };
    let lines = Cell::new(0);
    let looked = || {
        lines.set(lines.get() + 1);
        false
    };
    let found = bench.reader().recent(&filter, 100, &looked).unwrap();
    assert!(found.changed.is_none(), "{found:?}");
    (found.events.into_iter().map(|event| event.operation.into_owned()).collect(), lines.get())
}

#[test]
fn the_start_of_the_time_asked_for_ends_the_reading_whatever_the_filter_finds_d8() {
    let bench = month();
    let all = bench.events().len();
    let (found, lines) = recent(&bench, 28 * DAY, 31 * DAY, None);
    assert_eq!(found, [29, 28].map(|day| format!("At{}", day * DAY + 3000)));
    assert!(lines < all / 5, "{lines} of {all}");
    // An id that no event has: nothing passes the filter, and the reading ends all the same.
    let (found, lines) = recent(&bench, 28 * DAY, 31 * DAY, Some(u128::MAX));
    assert!(found.is_empty() && lines < all / 5, "{lines} of {all}");
}

#[test]
fn files_younger_than_the_time_asked_for_are_not_read_d8() {
    let bench = month();
    let all = bench.events().len();
    let (found, lines) = recent(&bench, 2 * DAY, 3 * DAY, None);
    assert_eq!(found, [format!("At{}", 2 * DAY + 3000)]);
    assert!(lines < all / 3, "{lines} of {all}");
}

#[test]
fn an_event_that_was_written_late_is_found_d8() {
    let bench = Bench::plain();
    let log = bench.open();
    log.record(&at(100_000, Category::Control)).unwrap();
    // A stream that began a day ago ends now, and a change that took a minute.
    log.record(&at(100_000 - DAY, Category::Data)).unwrap();
    log.record(&at(99_940, Category::Token)).unwrap();
    assert_eq!(recent(&bench, 99_990, 200_000, None).0, ["At100000"]);
}

#[test]
fn a_reading_ends_when_nobody_waits_for_it_d8() {
    let bench = month();
    let left = Cell::new(3);
    let gone = || {
        left.set(left.get() - 1);
        left.get() == 0
    };
    bench.reader().recent(&Filter::default(), usize::MAX, &gone).unwrap();
    assert_eq!(left.get(), 0, "asked three times and no more");
}

/// Changes bytes of the one line that holds `what`, and not its length.
fn change(bench: &Bench, segment: u64, what: &str, into: &str) {
    let text = std::fs::read_to_string(bench.segment(segment)).unwrap();
    assert!(what.len() == into.len() && text.matches(what).count() == 1, "{what}");
    std::fs::write(bench.segment(segment), text.replace(what, into)).unwrap();
}

#[test]
fn a_changed_line_stands_in_the_list_as_such_and_hides_no_other_d8() {
    let bench = Bench::plain();
    let log = bench.open();
    (1..=5).for_each(|n| log.record(&at(n * 1000, Category::Control)).unwrap());
    let scope: Scope = ACCOUNT.parse().unwrap();
    let filter = Filter { since: Some(Timestamp::from_unix_secs(1000)), category: Some(Category::Control), ..Filter::default() };
    // Another word; a time that would end the reading; no line at all.
    for (number, what, into) in
        [(2, "At2000", "Xt2000"), (3, r#""time":3000000"#, r#""time":0000000"#), (4, r#"{"time":4000000"#, r#"!"time":4000000"#)]
    {
        change(&bench, 1, what, into);
        let listed = bench.reader().recent(&filter, 100, &|| false).unwrap();
        let name = |n| if n == number { "Audit_Changed".to_owned() } else { format!("At{n}000") };
        let operations: Vec<_> = listed.events.iter().map(|event| event.operation.as_ref()).collect();
        assert_eq!(operations, (1..=5).rev().map(name).collect::<Vec<_>>());
        let placeholder = listed.events.iter().find(|event| event.operation == "Audit_Changed").unwrap();
        assert_eq!((placeholder.category, placeholder.outcome), (Category::Control, Outcome::Failed));
        // In every list, whatever was asked for: what the line was is not known.
        let asked = Filter { scope: Some(scope.clone()), request_id: Some(RequestId::from_u128(7)), ..filter.clone() };
        let found = bench.reader().recent(&asked, 100, &|| false).unwrap();
        assert_eq!(found.events.iter().map(|event| event.target.as_ref()).collect::<Vec<_>>(), [Some(&scope)]);
        assert!(matches!(bench.reader().verify([]), Err(AuditLogError::Broken { .. })), "the verifier does not go on");
        log.note_changed(listed.changed.as_ref().unwrap()).unwrap();
        assert!(log.known_space().changed && log.look_at_space().unwrap().changed);
        change(&bench, 1, into, what);
    }
    assert_eq!(bench.operations().iter().filter(|operation| *operation == "System_AuditChanged").count(), 1, "told once");
}

#[test]
fn a_changed_line_at_the_beginning_of_a_file_leaves_nothing_of_the_file_out_d8() {
    let bench = month();
    let before = recent(&bench, 2 * DAY, 31 * DAY, None).0;
    let last = *bench.reader().folder().segments().unwrap().last().unwrap();
    let text = std::fs::read_to_string(bench.segment(last)).unwrap();
    let time = text.lines().nth(1).unwrap().split_inclusive(',').next().unwrap().to_owned();
    // As if it began long after what is asked for.
    let digits = time.strip_prefix(r#"{"time":"#).unwrap().len() - 1;
    change(&bench, last, &time, &format!(r#"{{"time":{},"#, "9".repeat(digits)));
    let span = (Some(Timestamp::from_unix_secs(2 * DAY)), Some(Timestamp::from_unix_secs(31 * DAY)));
    let filter = Filter { since: span.0, until: span.1, category: Some(Category::Control), ..Filter::default() };
    let listed = bench.reader().recent(&filter, 100, &|| false).unwrap().events;
    let left = listed.iter().filter(|event| before.contains(&event.operation.to_string())).count();
    assert!(before.len() - left <= 1, "{before:?} {listed:?}");
}
