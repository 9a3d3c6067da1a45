//! What somebody who makes many refusals can hide behind them, and how much they can make the audit grow.

use super::*;

const PLANES: [RefusedBy; 4] = [RefusedBy::Authority, RefusedBy::Metadata, RefusedBy::Control, RefusedBy::Gateway];
const PUT_ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments/write";

/// As [`written`], for any refusals.
fn log<'a>(refusals: impl IntoIterator<Item = (Refused<'a>, AuditEvent)>) -> Vec<AuditEvent> {
    let (counter, mut last) = (Refusals::default(), at(0));
    let mut events = Vec::new();
    for (refused, event) in refusals {
        last = event.time;
        events.extend(counter.admit(refused, event, true));
    }
    events.extend(counter.due(last, true).events);
    events
}

fn texts(events: &[AuditEvent]) -> Vec<&str> {
    let counts = events.iter().filter(|event| event.repeated.is_some());
    counts.map(|event| event.decision.as_ref().unwrap().because.rsplit_once("one by one: ").unwrap().1).collect()
}

fn noise(plane: RefusedBy, reason: &'static str) -> impl Iterator<Item = (Refused<'static>, AuditEvent)> {
    (0..2_800).map(move |n| (Refused::new(plane, reason), stranger(&format!("198.51.{}.{}", n % 28, n % 100), n)))
}

#[test]
fn no_noise_of_strangers_takes_the_events_of_guesses_at_a_person_d5_i7() {
    let (ada, others) = (ObjectId::from_u128(7), PLANES.into_iter().flat_map(|plane| noise(plane, "x")));
    let guess = Refused::new(RefusedBy::Authority, "AADSTS50126").person(Some(ada));
    let events = log(others.chain((0..9).map(|n| (guess, stranger("203.0.113.9", 3_000 + n)))));
    let whole = events.iter().filter(|event| event.repeated.is_none() && event.source == "203.0.113.9".parse().ok());
    assert_eq!(whole.count(), 5);
    assert!(texts(&events).contains(&format!("authority: AADSTS50126 for user {ada}").as_str()), "{:?}", texts(&events));
}

#[test]
fn guesses_at_many_people_are_counted_by_name_d5_i7() {
    let guess = |id| Refused::new(RefusedBy::Authority, "AADSTS50126").person(Some(ObjectId::from_u128(id)));
    let events = log((0..90).map(|n| (guess(n), stranger("203.0.113.9", n as i64))));
    assert_eq!(events.iter().filter(|event| event.repeated.is_none()).count(), 30);
    for person in 30..90 {
        let person = ObjectId::from_u128(person).to_string();
        assert!(texts(&events).iter().any(|text| text.contains(&person)));
    }
}

#[test]
fn what_many_callers_did_is_summed_by_plane_and_reason_d5_i7() {
    let wrong = (0..3).map(|n| (Refused::new(RefusedBy::Gateway, "wrong key"), stranger("203.0.113.9", 3_000 + n)));
    let events = log(noise(RefusedBy::Gateway, "no credential").chain(noise(RefusedBy::Control, "a refused token")).chain(wrong));
    let texts = texts(&events);
    assert!(texts.iter().any(|text| text.starts_with("gateway: ") && text.ends_with("wrong key (3)")), "{texts:?}");
    assert!(texts.iter().all(|text| text.starts_with("gateway: ") || text.starts_with("control plane: a refused token")), "{texts:?}");
    assert_eq!(number(&events), 2 * 2_800 + 3, "none is forgotten");
}

#[test]
fn all_addresses_of_this_machine_are_one_place_d5_i7() {
    let events = log((0..250).map(|n| (Refused::new(RefusedBy::Control, "x"), stranger(&format!("127.0.0.{}", n + 1), n))));
    assert_eq!((events.len(), events[5].source), (5 + 1, "127.0.0.1".parse().ok()));
}

#[test]
fn decoys_do_not_hide_a_denied_change_d5_i7() {
    let denied = |operation, change, n| (Refused::new(RefusedBy::Control, "AuthorizationFailed").of(operation).change(change), n);
    let reads = (0..500).map(|n| denied("Microsoft.Resources/subscriptions/resourceGroups/read", false, n));
    let writes = (500..1_000).map(|n| denied("DELETE of a resource", true, n));
    let all = reads.chain(writes).chain((1_000..1_009).map(|n| denied(PUT_ASSIGNMENT, true, n)));
    let events = log(all.map(|(refused, n)| (refused, refusal(principal(1), "127.0.0.1", n))));
    let whole = |from| events.iter().filter(|event| event.repeated.is_none() && event.time >= at(from)).count();
    assert_eq!((whole(0), whole(500), whole(1_000)), (5 + 200 + 2, 202, 2));
    assert!(texts(&events).contains(&format!("control plane: AuthorizationFailed of {PUT_ASSIGNMENT}").as_str()), "{:?}", texts(&events));
}

#[test]
fn a_count_does_not_take_over_the_outcome_of_another_d5_i7() {
    let refusals = (0..20).map(|n| {
        let mut event = refusal(principal(1), &format!("203.0.113.{n}"), n);
        event.outcome = if n < 10 { Outcome::Failed } else { Outcome::Denied };
        event.status = Some(if n % 2 == 0 { 404 } else { 403 });
        (Refused::new(RefusedBy::Gateway, "x"), event)
    });
    let events = log(refusals);
    let counts = events.iter().filter(|event| event.repeated.is_some());
    let mut counts: Vec<_> = counts.map(|event| (event.outcome == Outcome::Denied, number(std::slice::from_ref(event)))).collect();
    counts.sort_unstable();
    assert_eq!(counts, [(false, 5), (true, 5)]);
    let mixed = events.iter().filter(|event| event.repeated.is_some());
    assert!(mixed.clone().all(|event| event.status.is_none() && event.source.is_none()), "they differ, so nothing is said of them");
}

#[test]
fn strangers_on_all_planes_together_grow_the_audit_by_less_than_100_kib_a_minute_d5_i7() {
    let reasons: Vec<_> = (0..40).map(|n| format!("AADSTS{}", 7_000_200 + n)).collect();
    let all = (0..40_000_usize).map(|n| {
        let refused = Refused::new(PLANES[n % 4], &reasons[n % 40]);
        let person = (n % 3 == 0).then(|| ObjectId::from_u128(n as u128 % 500));
        let refused = if n % 4 == 0 { refused.person(person) } else { refused };
        let mut event = stranger(&format!("198.51.{}.{}", n % 199, n % 251), n as i64);
        // The longest that a stranger can send; of a person nothing that was typed is recorded.
        if refused.person.is_none() {
            let long = "x".repeat(2_000);
            let token = event.token.as_mut().unwrap();
            (token.grant, token.audience) = (long.clone().into(), Some(long.clone()));
            event.decision = Some(DecisionRecord::refused(long));
        }
        (refused, event)
    });
    let events = log(all);
    assert!(bytes(&events) < 100 * 1024, "{}", bytes(&events));
    assert_eq!(number(&events), 40_000);
}

#[test]
fn a_principal_who_tries_every_change_grows_the_audit_by_less_than_400_kib_a_minute_d5_i7() {
    let operations: Vec<_> = (0..60).map(|n| format!("Microsoft.CognitiveServices/accounts/thing{n}/write")).collect();
    let all = (0..40_000_usize).map(|n| {
        let refused = Refused::new(RefusedBy::Control, "AuthorizationFailed").of(&operations[n / 400 % 60]).change(n % 2 == 0);
        (refused, refusal(principal(1), "127.0.0.1", n as i64))
    });
    let events = log(all);
    assert!(bytes(&events) < 400 * 1024, "{}", bytes(&events));
    assert_eq!(number(&events), 40_000);
}
