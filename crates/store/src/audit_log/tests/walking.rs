//! The walk along the chain: ordered, resumable, and never past damage.

use super::super::walk::Walk;
use super::*;

/// Everything the walk gives until the log ends.
fn rest(walk: &mut Walk) -> Result<Vec<u64>, AuditLogError> {
    let mut sequences = Vec::new();
    while let Some(entry) = walk.step()? {
        sequences.push(entry.sequence);
    }
    walk.finish().map(|_| sequences)
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    range.collect()
}

#[test]
fn a_walk_goes_on_with_what_is_written_later_across_files() {
    let bench = Bench::small();
    let log = bench.open();
    let mut walk = bench.reader().walk(None, []).unwrap();
    assert!(rest(&mut walk).unwrap().is_empty());
    for (from, to) in [(1, 3), (4, 20), (21, 21)] {
        (from..=to).for_each(|n| log.record(&event(n)).unwrap());
        assert_eq!(rest(&mut walk).unwrap(), numbers(from..=to));
    }
    assert!(bench.segment(3).exists(), "the log has several files");
}

#[test]
fn a_walk_resumes_after_any_event_and_gives_each_of_the_others_once() {
    let bench = Bench::small();
    let log = bench.open();
    let mut places = Vec::new();
    for n in 1..=25 {
        log.record(&event(n)).unwrap();
        places.push(log.head());
    }
    for (place, n) in places.iter().zip(1..) {
        assert_eq!(rest(&mut bench.reader().walk(Some(*place), [log.head()]).unwrap()).unwrap(), numbers(n + 1..=25));
    }
}

#[test]
fn an_unfinished_line_is_given_once_it_is_whole() {
    let bench = Bench::plain();
    let log = bench.open();
    log.record(&event(1)).unwrap();
    log.record(&event(2)).unwrap();
    let whole = std::fs::read(bench.segment(1)).unwrap();
    std::fs::write(bench.segment(1), &whole[..whole.len() - 10]).unwrap();
    let mut walk = bench.reader().walk(None, []).unwrap();
    assert_eq!(rest(&mut walk).unwrap(), [1]);
    std::fs::write(bench.segment(1), &whole).unwrap();
    assert_eq!(rest(&mut walk).unwrap(), [2]);
}

#[test]
fn a_walk_stops_at_damage_and_gives_what_was_before() {
    let bench = Bench::small();
    let log = bench.open();
    (1..=25).for_each(|n| log.record(&event(n)).unwrap());
    let text = std::fs::read_to_string(bench.segment(2)).unwrap();
    let event = text.lines().nth(1).unwrap().to_owned() + "\n";
    let first = serde_json::from_str::<serde_json::Value>(&event).unwrap()["seq"].as_u64().unwrap();
    std::fs::write(bench.segment(2), text.replacen(&event, "", 1)).unwrap();
    let (mut walk, mut given) = (bench.reader().walk(None, []).unwrap(), Vec::new());
    let error = loop {
        match walk.step() {
            Ok(entry) => given.push(entry.expect("damage comes before the end").sequence),
            Err(error) => break error,
        }
    };
    assert_eq!(given, numbers(1..=first - 1));
    assert!(error.to_string().contains(&format!("event {first} is missing")), "{error}");
}

#[test]
fn a_cut_end_a_missing_file_and_a_replaced_event_are_found() {
    let bench = Bench::small();
    let log = bench.open();
    (1..=25).for_each(|n| log.record(&event(n)).unwrap());
    let head = log.head();
    let wrong = Anchor { sequence: 5, ..head };
    assert!(rest(&mut bench.reader().walk(Some(wrong), []).unwrap()).unwrap_err().to_string().contains("was replaced or rebuilt"));
    let later = Anchor { sequence: 99, ..head };
    assert!(rest(&mut bench.reader().walk(Some(later), []).unwrap()).unwrap_err().to_string().contains("cut off"));

    let last = *bench.reader().folder().segments().unwrap().last().unwrap();
    std::fs::rename(bench.segment(last), bench.segment(last + 1)).unwrap();
    assert!(rest(&mut bench.reader().walk(None, []).unwrap()).is_err(), "a gap between the files");
    std::fs::remove_file(bench.segment(last + 1)).unwrap();
    assert!(rest(&mut bench.reader().walk(None, [head]).unwrap()).unwrap_err().to_string().contains("cut off"));
    std::fs::remove_file(bench.segment(1)).unwrap();
    assert!(rest(&mut bench.reader().walk(None, []).unwrap()).is_err(), "the beginning is missing");
}
