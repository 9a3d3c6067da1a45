use keyless_model::{Actor, OpContext};

use super::*;
use crate::{Chain, DataDetail, Line};

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("x"), |inner, _| json!({ "a": [inner] }))
}

fn change(after: Value) -> AuditEvent {
    let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::from_unix_secs(7), Actor::Anonymous);
    let control = Some(ControlDetail { before: None, after: Some(after) });
    AuditEvent { control, ..AuditEvent::new(&ctx, Category::Control, "A.B/c/write", Outcome::Allowed) }
}

fn written(event: &AuditEvent) -> Vec<u8> {
    let mut out = Vec::new();
    Chain::new().append(event, &mut out).unwrap();
    out.pop();
    out
}

#[test]
fn every_document_of_a_change_gives_a_line_that_can_be_read_d2() {
    for levels in 0..64 {
        let event = change(nested(levels));
        let line = written(&event);
        let read = Line::parse(&line).unwrap().event().unwrap_or_else(|error| panic!("{levels}: {error}"));
        let after = read.control.unwrap().after.unwrap();
        assert_eq!(after == nested(levels), levels <= MAX_DEPTH / 2, "{levels}");
    }
}

#[test]
fn what_is_left_out_is_named_by_digest_and_size_d2() {
    let large = json!({ "text": "x".repeat(MAX_BYTES) });
    for (document, why) in [(nested(60), "it is too deep"), (large, "it is too large")] {
        let text = serde_json::to_vec(&document).unwrap();
        let read = Line::parse(&written(&change(document))).unwrap().event().unwrap();
        let marker = json!({ "leftOut": why, "bytes": text.len(), "sha256": Hash::of(&text).to_string() });
        assert_eq!(read.control.unwrap().after, Some(marker));
    }
}

#[test]
fn an_id_that_looks_like_a_credential_leaves_a_line_that_can_be_read_d2() {
    let name = "sk-Ab3dEf6hIj9kLm2nOp5qRs8tUv";
    let target = format!("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/demo/providers/A.B/c/{name}");
    let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::from_unix_secs(7), Actor::Anonymous);
    let event = AuditEvent {
        target: Some(target.parse().unwrap()),
        data: Some(DataDetail { deployment: Some(name.into()), ..DataDetail::default() }),
        ..AuditEvent::new(&ctx, Category::Data, "X", Outcome::Allowed)
    };
    let line = written(&event);
    let read = Line::parse(&line).unwrap().event().unwrap();
    assert_eq!((read.request_id, read.operation.as_ref()), (event.request_id, "X"));
    assert!(!String::from_utf8(line).unwrap().contains(name));
}

#[test]
fn of_an_unreadable_event_everything_is_told_that_can_be_read_d2() {
    let deep = "[".repeat(150) + &"]".repeat(150);
    let event = change(json!("DEEP"));
    let text = serde_json::to_string(&event).unwrap().replace("\"DEEP\"", &deep);
    assert!(serde_json::from_str::<AuditEvent>(&text).is_err());
    let told = placeholder(text.as_bytes());
    assert_eq!((told.time, told.request_id, told.operation.as_ref()), (event.time, event.request_id, "A.B/c/write"));
    assert_eq!((told.category, told.outcome), (Category::Control, Outcome::Allowed));
    let newer = placeholder(br#"{"time":9,"category":"sorcery"}"#);
    assert_eq!((newer.time, newer.operation.as_ref()), (Timestamp::from_unix_millis(9), UNREADABLE));
    assert_eq!(placeholder(b"\xff").operation, UNREADABLE);
}

#[test]
fn the_time_of_a_line_is_read_without_the_rest() {
    let line = written(&change(json!(1)));
    assert_eq!(time_of(&line), Some(Timestamp::from_unix_secs(7)));
    assert_eq!(time_of(br#"{"x":[],"time":-3}"#), Some(Timestamp::from_unix_millis(-3)));
    assert_eq!(time_of(br#"{"segment":1}"#), None);
}
