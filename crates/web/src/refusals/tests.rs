mod noise;

use keyless_audit::{Category, Chain, DecisionRecord, Repeated, TokenDetail};
use keyless_model::{Actor, OpContext, RequestId, TenantId};

use super::*;

const START: i64 = 1_700_000_040_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + millis)
}

fn refusal(actor: Actor, source: &str, millis: i64) -> AuditEvent {
    let mut ctx = OpContext::new(RequestId::from_u128(millis as u128), at(millis), actor);
    ctx.source = source.parse().ok();
    let mut event = AuditEvent::new(&ctx, Category::Token, "Token_Issue", Outcome::Denied);
    event.status = Some(401);
    event.decision = Some(DecisionRecord::refused("AADSTS7000215: invalid client secret is provided"));
    event.token = Some(TokenDetail { grant: "client_credentials".into(), error: Some("AADSTS7000215".into()), ..TokenDetail::default() });
    event
}

fn stranger(source: &str, millis: i64) -> AuditEvent {
    refusal(Actor::Anonymous, source, millis)
}

fn principal(id: u128) -> Actor {
    Actor::Principal { id: ObjectId::from_u128(id), tenant: TenantId::from_u128(1), client_id: None }
}

/// The events that a log would get, in order, when refusals come one after another and counts are written every second.
fn written(refusals: impl IntoIterator<Item = (&'static str, AuditEvent)>) -> Vec<AuditEvent> {
    let (counter, mut events) = (Refusals::default(), Vec::new());
    let mut last = at(0);
    for (reason, event) in refusals {
        last = event.time;
        events.extend(counter.due(last, false).events);
        events.extend(counter.admit(Refused::new(RefusedBy::Authority, reason), event, true));
    }
    events.extend(counter.due(last, true).events);
    events
}

fn bytes(events: &[AuditEvent]) -> usize {
    let (mut chain, mut out) = (Chain::new(), Vec::new());
    for event in events {
        chain.append(event, &mut out).unwrap();
    }
    out.len()
}

fn number(events: &[AuditEvent]) -> u64 {
    events.iter().map(|event| event.repeated.map_or(1, |repeated| repeated.number)).sum()
}

#[test]
fn a_stranger_at_full_speed_for_a_minute_grows_the_audit_by_less_than_100_kib_d5_i7() {
    // Half in one minute of the clock, half in the next.
    let reasons = ["AADSTS7000215", "AADSTS90002", "AADSTS700016", "AADSTS900144", "AADSTS50013"];
    let events = written((0..60_000).map(|n| (reasons[n % 5], stranger("203.0.113.9", 30_000 + n as i64))));
    assert!(bytes(&events) < 100 * 1024, "{}", bytes(&events));
    assert_eq!(number(&events), 60_000, "none is forgotten");
    let count = events.iter().find(|event| event.repeated.is_some()).unwrap();
    let because = &count.decision.as_ref().unwrap().because;
    assert_eq!((count.operation.as_ref(), count.source), ("Refusals_Count", "203.0.113.9".parse().ok()));
    assert!(because.ends_with("authority: AADSTS7000215") && because.starts_with("5998 more"), "{because}");
}

#[test]
fn strangers_with_many_addresses_get_no_more_than_one_d5_i7() {
    let events = written((0..60_000_u32).map(|n| ("x", stranger(&format!("2001:db8:{:x}:{:x}::1", n >> 16, n & 0xffff), n.into()))));
    assert!(bytes(&events) < 100 * 1024, "{}", bytes(&events));
    assert_eq!(number(&events), 60_000);
}

#[test]
fn a_network_of_ipv6_is_one_place_d5_i7() {
    let events = written((0..1_000).map(|n| ("x", stranger(&format!("2001:db8::{n:x}"), n))));
    assert_eq!(events.len(), 5 + 1);
    assert_eq!(events[5].source, "2001:db8::".parse().ok());
}

#[test]
fn a_principal_without_the_right_has_a_share_of_its_own_d5_i7() {
    let flood = (0..60_000).map(|n| ("AuthorizationFailed", refusal(principal(1), "127.0.0.1", n)));
    let strangers = (0..60_000).map(|n| ("x", stranger("127.0.0.1", n)));
    let mut all: Vec<_> = flood.chain(strangers).chain([("AuthorizationFailed", refusal(principal(2), "127.0.0.1", 59_000))]).collect();
    all.sort_by_key(|(_, event)| event.time);
    let events = written(all);
    assert!(bytes(&events) < 100 * 1024);
    let second = ActorRecord::from(&principal(2));
    assert!(events.iter().any(|event| event.actor == second && event.repeated.is_none()), "the other principal's refusal is there whole");
    assert_eq!(number(&events), 120_001);
}

#[test]
fn the_first_refusals_of_each_kind_are_written_as_they_are_d5_i7() {
    let first = stranger("192.0.2.1", 0);
    assert_eq!(Refusals::default().admit(Refused::new(RefusedBy::Gateway, "x"), first.clone(), true), Some(first));
    let events = written((0..7).map(|n| ("x", stranger("192.0.2.1", n))).chain([("y", stranger("192.0.2.1", 8))]));
    assert_eq!(events.iter().filter(|event| event.repeated.is_none()).count(), 6);
    assert_eq!(events.last().unwrap().repeated, Some(Repeated { number: 2, since: at(5) }));
}

#[test]
fn counts_that_the_log_did_not_take_are_due_again_d5_i7() {
    let counter = Refusals::default();
    for n in 0..100 {
        counter.admit(Refused::new(RefusedBy::Control, "x"), stranger("192.0.2.1", n), true);
    }
    let due = counter.due(at(60_000), false);
    assert_eq!(number(&due.events), 95);
    counter.give_back(due);
    assert_eq!(number(&counter.due(at(60_001), false).events), 95);
    assert!(counter.due(at(60_001), true).events.is_empty());
}

#[test]
fn what_the_caller_chose_the_length_of_is_cut_without_its_credentials_d5_i7() {
    let mut event = stranger("192.0.2.1", 0);
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", "a".repeat(2_000));
    event.operation = format!("GET /{}", "x".repeat(60_000)).into();
    event.decision = Some(DecisionRecord::refused(format!("the token is {token}")));
    let written = Refusals::default().admit(Refused::new(RefusedBy::Control, "x"), event, true).unwrap();
    assert!(bytes(std::slice::from_ref(&written)) < 2_500);
    assert!(!written.decision.unwrap().because.contains("aaaa"));
    assert!(written.operation.ends_with("… (60005 bytes)"));
}

#[test]
fn while_the_disk_is_nearly_full_refusals_are_only_counted_d5_i7() {
    let counter = Refusals::default();
    assert_eq!(counter.admit(Refused::new(RefusedBy::Gateway, "x"), stranger("192.0.2.1", 0), false), None);
    assert_eq!(counter.admit(Refused::new(RefusedBy::Gateway, "x"), refusal(principal(1), "192.0.2.1", 0), false), None);
    assert_eq!(number(&counter.due(at(1), true).events), 2);
}
