use keyless_model::{Actor, OpContext, RequestId};

use super::*;
use crate::{AuditEvent, Category, ControlDetail, Outcome};

/// A log as it lies in files: each a list of lines without newlines.
type Log = Vec<Vec<Vec<u8>>>;

fn event(n: u64) -> AuditEvent {
    let ctx = OpContext::new(RequestId::from_u128(n.into()), Timestamp::from_unix_secs(1000 + i64::try_from(n).unwrap()), Actor::Anonymous);
    AuditEvent::new(&ctx, Category::Data, format!("Op \"seq\":{n}"), Outcome::Allowed)
}

/// Two files: a header and three events, a header and two events.
fn log(salt: u64) -> Log {
    let mut chain = Chain::new();
    let mut files = Vec::new();
    let mut n = salt;
    for (number, events) in [(1, 3), (2, 2)] {
        let mut out = Vec::new();
        chain.header(number, &mut out);
        for _ in 0..events {
            n += 1;
            chain.append(&event(n), &mut out).unwrap();
        }
        files.push(out.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect());
    }
    files
}

fn verify_with(log: &Log, anchors: &[Anchor]) -> Result<Report, Broken> {
    let mut verifier = Verifier::new(anchors.iter().copied());
    let mut offset = 0;
    for (number, file) in (1..).zip(log) {
        verifier.segment(number)?;
        offset = 0;
        for line in file {
            verifier.line(offset, line)?;
            offset += line.len() as u64 + 1;
        }
    }
    verifier.finish(offset)
}

fn verify(log: &Log) -> Result<Report, Broken> {
    verify_with(log, &[])
}

fn why(log: &Log) -> Why {
    verify(log).unwrap_err().why
}

#[test]
fn an_untouched_log_is_reported_whole() {
    let log = log(0);
    let report = verify(&log).unwrap();
    assert_eq!((report.segments, report.events, report.head.sequence), (2, 5, 5));
    assert_eq!((report.first, report.last), (Some(Timestamp::from_unix_secs(1001)), Some(Timestamp::from_unix_secs(1005))));
    assert_eq!(report.head, Line::parse(&log[1][2]).unwrap().anchor().unwrap());
}

#[test]
fn each_line_is_one_json_object_that_any_reader_understands() {
    for file in log(0) {
        for (at, line) in file.iter().enumerate() {
            let value: serde_json::Value = serde_json::from_slice(line).unwrap();
            assert!(value["hash"].is_string() && value["prev"].is_string());
            assert_eq!(value["seq"].is_u64(), at > 0);
        }
        assert_eq!(Line::parse(&file[1]).unwrap().event().unwrap(), event(Line::parse(&file[1]).unwrap().anchor().unwrap().sequence));
    }
}

#[test]
fn a_change_of_any_single_byte_is_found_on_its_line() {
    let original = log(0);
    for line in [0, 2] {
        for at in 0..original[1][line].len() {
            for flip in [1, 0x20] {
                let mut log = original.clone();
                log[1][line][at] ^= flip;
                let broken = verify(&log).expect_err("a changed byte was not noticed");
                let offset: usize = original[1][..line].iter().map(|line| line.len() + 1).sum();
                assert_eq!((broken.segment, broken.offset), (2, offset as u64), "byte {at}: {broken}");
            }
        }
    }
}

#[test]
fn a_removed_line_is_found() {
    let mut log = log(0);
    log[0].remove(2);
    assert_eq!(why(&log), Why::Removed { expected: 2, found: 3 });
}

#[test]
fn lines_that_changed_places_are_found() {
    let mut log = log(0);
    log[0].swap(1, 2);
    assert_eq!(why(&log), Why::Removed { expected: 1, found: 2 });
}

#[test]
fn a_line_that_stands_twice_is_found() {
    let mut log = log(0);
    let copy = log[0][2].clone();
    log[0].push(copy);
    assert_eq!(why(&log), Why::Inserted { expected: 4, found: 2 });
}

#[test]
fn a_line_of_another_log_with_the_right_number_is_found() {
    let mut mixed = log(0);
    mixed[0][2] = log(7)[0][2].clone();
    assert_eq!(why(&mixed), Why::Unlinked);
}

#[test]
fn a_rewritten_line_breaks_at_its_successor_even_when_its_own_hash_was_made_anew() {
    let mut log = log(0);
    let before = Line::parse(&log[0][1]).unwrap();
    let mut forger = Chain::resume(before.hash, before.anchor().unwrap());
    let mut forged = Vec::new();
    forger.append(&event(99), &mut forged).unwrap();
    forged.pop();
    log[0][2] = forged;
    let broken = verify(&log).unwrap_err();
    assert_eq!((broken.why, broken.sequence), (Why::Unlinked, 3));
}

#[test]
fn a_cut_tail_and_a_rebuilt_log_are_found_with_an_anchor_only() {
    let whole = log(0);
    let head = verify(&whole).unwrap().head;
    let mut cut = whole.clone();
    cut[1].truncate(2);
    let report = verify(&cut).unwrap();
    assert_eq!(verify_with(&cut, &[head]).unwrap_err().why, Why::Truncated { head: report.head, anchor: head });
    cut.pop();
    assert!(matches!(verify_with(&cut, &[head]).unwrap_err().why, Why::Truncated { .. }));
    assert!(matches!(verify_with(&Log::new(), &[head]).unwrap_err().why, Why::Truncated { .. }));

    let rebuilt = log(50);
    assert!(verify(&rebuilt).is_ok());
    assert_eq!(verify_with(&rebuilt, &[head]).unwrap_err().why, Why::Replaced { anchor: head });
    assert!(verify_with(&whole, &[head, report.head]).is_ok());
}

#[test]
fn files_that_were_removed_joined_or_lost_their_header_are_found() {
    let whole = log(0);
    let mut verifier = Verifier::new([]);
    assert_eq!(verifier.segment(2).unwrap_err().why, Why::Segment { expected: 1, found: 2 });
    assert_eq!(why(&vec![whole[1].clone()]), Why::Segment { expected: 1, found: 2 });
    assert_eq!(why(&vec![whole.concat()]), Why::Header);
    let mut headless = whole.clone();
    headless[1].remove(0);
    assert_eq!(why(&headless), Why::NoHeader);
    let mut other = whole;
    other[1] = log(9)[1].clone();
    assert_eq!(why(&other), Why::Unlinked);
}

#[test]
fn a_later_part_verifies_on_the_word_of_its_header() {
    let log = log(0);
    let mut verifier = Verifier::from_segment(2, []);
    verifier.segment(2).unwrap();
    for line in &log[1] {
        verifier.line(0, line).unwrap();
    }
    assert_eq!(verifier.chain(), resume_after(&Line::parse(&log[1][2]).unwrap()).unwrap());
    let report = verifier.finish(0).unwrap();
    assert_eq!((report.segments, report.events, report.head.sequence), (1, 2, 5));
}

#[test]
fn a_chain_goes_on_from_any_line() {
    let log = log(0);
    let (header, last) = (Line::parse(&log[1][0]).unwrap(), Line::parse(&log[0][3]).unwrap());
    assert_eq!(resume_after(&header).unwrap().last(), last.anchor().unwrap());
    let mut out = Vec::new();
    resume_after(&header).unwrap().append(&event(4), &mut out).unwrap();
    assert_eq!(out.strip_suffix(b"\n").unwrap(), log[1][1]);
}

#[test]
fn secrets_in_documents_and_credentials_in_texts_are_not_written() {
    let mut event = event(1);
    let after = serde_json::json!({ "private": "c2VhbGVk", "tags": { "note": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl" } });
    event.control = Some(ControlDetail { before: None, after: Some(after) });
    event.operation = "Bearer 0123456789abcdefghij".into();
    let (mut chain, mut out) = (Chain::new(), Vec::new());
    chain.append(&event, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for secret in ["c2VhbGVk", "eyJ", "0123456789abcdefghij"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(Line::parse(text.trim_end().as_bytes()).unwrap().event().is_ok());
}

#[test]
fn arbitrary_bytes_never_parse_as_a_line() {
    let log = log(0);
    let line = &log[0][1];
    for end in 0..line.len() {
        assert!(Line::parse(&line[..end]).is_err());
        assert!(Line::parse(&line[end + 1..]).is_err());
    }
    assert_eq!(Line::parse(b"{}"), Err(LineError::Malformed("it is too short")));
}

/// Written before events said their action, region and deny assignment.
#[test]
fn a_log_of_the_first_release_verifies_and_reads() {
    let log: Log = vec![include_str!("first_release.jsonl").lines().map(|line| line.as_bytes().to_vec()).collect()];
    assert_eq!(verify(&log).unwrap().events, 3);
    let event = Line::parse(log[0].last().unwrap()).unwrap().event().unwrap();
    assert_eq!((event.client_request_id, event.location, event.decision.unwrap().deny), (None, None, None));
    let data = event.data.unwrap();
    assert_eq!((data.action, data.model_version, data.deployment.as_deref()), (None, None, Some("chat")));
}
