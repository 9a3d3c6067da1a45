//! Lines whose event this program cannot read: told as such, and never the end of a reading.

use std::io::Write as _;

use keyless_audit::Hash;

use super::*;

/// Appends a line as an older program wrote it: sound, and with an event that is nested too deeply to be read.
fn append_deep(bench: &Bench) {
    let mut file = std::fs::OpenOptions::new().append(true).open(bench.segment(1)).unwrap();
    let last = bench.reader().verify([]).unwrap().head;
    let deep = "[".repeat(200) + &"]".repeat(200);
    let hashed = format!(
        r#"{{"time":2000,"requestId":"00000000-0000-0000-0000-000000000009","category":"control","operation":"A.B/c/write","outcome":"allowed","actor":{{"kind":"anonymous"}},"control":{{"after":{deep}}},"seq":{},"prev":"{}""#,
        last.sequence + 1,
        last.hash
    );
    let hash = Hash::of(hashed.as_bytes());
    writeln!(file, r#"{hashed},"hash":"{hash}"}}"#).unwrap();
}

#[test]
fn no_reader_ends_at_an_event_that_cannot_be_read_d2() {
    let bench = Bench::plain();
    let log = bench.open();
    log.record(&event(1)).unwrap();
    drop(log);
    append_deep(&bench);
    let mut follower = bench.reader().follow().unwrap();
    let mut walk = bench.reader().walk(None, []).unwrap();
    let log = bench.open();
    log.record(&event(3)).unwrap();

    assert_eq!(bench.operations(), ["Op1", "A.B/c/write", "Op3"]);
    let newest = bench.reader().events(Order::NewestFirst, Filter::default()).unwrap();
    let newest: Vec<_> = newest.map(|entry| entry.unwrap()).collect();
    assert_eq!(newest.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(newest[1].event.decision.as_ref().unwrap().because.contains("cannot read"));
    let control = Filter { category: Some(Category::Control), ..Filter::default() };
    assert_eq!(bench.reader().events(Order::OldestFirst, control).unwrap().count(), 1, "a filter finds it by what can be read");

    let walked: Vec<_> = std::iter::from_fn(|| walk.step().unwrap()).map(|entry| entry.sequence).collect();
    assert_eq!(walked, [1, 2, 3], "an export goes past it");
    assert_eq!(follower.poll().unwrap().len(), 1);
    assert_eq!(bench.reader().verify([log.head()]).unwrap().events, 3, "and it is verified like any other");
    log.check(log.head()).unwrap();
}
