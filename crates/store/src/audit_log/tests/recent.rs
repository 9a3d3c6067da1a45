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
    (found.into_iter().map(|entry| entry.event.operation.into_owned()).collect(), lines.get())
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
