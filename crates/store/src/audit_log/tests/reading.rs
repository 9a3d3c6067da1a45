//! What readers see, while it is written and after.

use super::*;

#[test]
fn both_orders_see_every_event_of_every_segment() {
    let bench = Bench::small();
    let log = bench.open();
    (1..=25).for_each(|n| log.record(&event(n)).unwrap());
    let sequences =
        |order| -> Vec<u64> { bench.reader().events(order, Filter::default()).unwrap().map(|entry| entry.unwrap().sequence).collect() };
    assert_eq!(sequences(Order::OldestFirst), (1..=25).collect::<Vec<_>>());
    assert_eq!(sequences(Order::NewestFirst), (1..=25).rev().collect::<Vec<_>>());
    let entry = bench.reader().events(Order::NewestFirst, Filter::default()).unwrap().next().unwrap().unwrap();
    assert_eq!(serde_json::from_str::<AuditEvent>(&entry.line).unwrap(), event(25));
    assert_eq!(Anchor { sequence: entry.sequence, hash: entry.hash }, log.head());
}

#[test]
fn each_filter_narrows_and_together_they_all_must_match() {
    let bench = Bench::plain();
    let log = bench.open();
    (1..=9).for_each(|n| log.record(&event(n)).unwrap());
    log.record(&AuditEvent { outcome: Outcome::Denied, category: Category::Token, target: None, data: None, ..event(10) }).unwrap();
    let count = |filter: Filter| bench.reader().events(Order::OldestFirst, filter).unwrap().map(Result::unwrap).count();
    let at = |n| Some(Timestamp::from_unix_secs(n));
    let scope = |text: &str| Some(text.parse::<Scope>().unwrap());
    let none = Filter::default;
    assert_eq!(count(none()), 10);
    assert_eq!(count(Filter { principal: Some(ObjectId::from_u128(0)), ..none() }), 3);
    assert_eq!(count(Filter { scope: scope(ACCOUNT), ..none() }), 9);
    assert_eq!(count(Filter { scope: scope("/subscriptions/00000000-0000-0000-0000-000000000001"), ..none() }), 9);
    assert_eq!(count(Filter { scope: scope(&ACCOUNT.replace("demo-ai", "demo")), ..none() }), 0);
    assert_eq!(count(Filter { deployment: Some("CHAT".into()), ..none() }), 9);
    assert_eq!(count(Filter { deployment: Some("embed".into()), ..none() }), 0);
    assert_eq!(count(Filter { since: at(3), until: at(5), ..none() }), 2);
    assert_eq!(count(Filter { outcome: Some(Outcome::Denied), ..none() }), 1);
    assert_eq!(count(Filter { category: Some(Category::Data), ..none() }), 9);
    assert_eq!(count(Filter { request_id: Some(RequestId::from_u128(4)), ..none() }), 1);
    assert_eq!(count(Filter { request_id: Some(RequestId::from_u128(4)), outcome: Some(Outcome::Denied), ..none() }), 0);
}

#[test]
fn a_changed_line_is_an_error_in_its_place_and_the_others_are_shown() {
    let bench = Bench::plain();
    let log = bench.open();
    (1..=3).for_each(|n| log.record(&event(n)).unwrap());
    let text = std::fs::read_to_string(bench.segment(1)).unwrap();
    std::fs::write(bench.segment(1), text.replace("Op2", "Op7")).unwrap();
    let seen: Vec<_> =
        bench.reader().events(Order::NewestFirst, Filter::default()).unwrap().map(|entry| entry.map(|entry| entry.sequence).ok()).collect();
    assert_eq!(seen, [Some(3), None, Some(1)]);
}

#[test]
fn a_reader_never_sees_an_unfinished_line() {
    let bench = Bench::plain();
    let log = bench.open();
    log.record(&event(1)).unwrap();
    let reader = bench.reader();
    let mut follower = reader.follow().unwrap();
    let mut text = std::fs::read_to_string(bench.segment(1)).unwrap();
    text.push_str("{\"time\":");
    std::fs::write(bench.segment(1), &text).unwrap();
    assert_eq!(bench.operations(), ["Op1"]);
    assert_eq!(reader.verify([]).unwrap().events, 1, "the writer may be about to finish it");
    assert!(follower.poll().unwrap().is_empty());
    drop(log);
    let error = reader.verify([]).unwrap_err().to_string();
    assert!(error.contains("ends inside a line"), "{error}");
}

#[test]
fn a_follower_gets_each_event_once_across_segments() {
    let bench = Bench::small();
    let log = bench.open();
    (1..=7).for_each(|n| log.record(&event(n)).unwrap());
    let mut follower = bench.reader().follow().unwrap();
    assert!(follower.poll().unwrap().is_empty());
    let mut seen = Vec::new();
    for n in 8..=30 {
        log.record(&event(n)).unwrap();
        if n % 4 == 0 {
            seen.extend(follower.poll().unwrap().into_iter().map(|entry| entry.sequence));
        }
    }
    seen.extend(follower.poll().unwrap().into_iter().map(|entry| entry.sequence));
    assert_eq!(seen, (8..=30).collect::<Vec<_>>());
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let error = AuditReader::open(std::path::Path::new("/nonexistent/audit")).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/audit"), "{error}");
}
