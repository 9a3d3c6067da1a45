use keyless_audit::DataDetail;
use keyless_model::{Actor, OpContext, RequestId, TenantId};

use super::*;

const OBJECT: &str = "00000000-0000-4000-8000-000000000010";

fn call(account: &str) -> AuditEvent {
    let actor = Actor::Principal { id: OBJECT.parse().unwrap(), tenant: TenantId::from_u128(2), client_id: None };
    let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::from_unix_secs(1000), actor);
    let mut event = AuditEvent::new(&ctx, Category::Data, "ChatCompletions_Create", Outcome::Allowed);
    event.target = format!(
        "/subscriptions/00000000-0000-4000-8000-00000000000b/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/{account}"
    )
    .parse()
    .ok();
    event.data = Some(DataDetail { deployment: Some("chat".into()), ..DataDetail::default() });
    event
}

fn matches(words: &AuditFilter) -> bool {
    let names = Names::from_triples([("demo-app".to_owned(), "c-1".to_owned(), OBJECT.to_owned())].into_iter());
    Wanted::new(words, &names, Timestamp::from_unix_secs(2000)).unwrap().matches(&call("Demo-AI"))
}

fn words() -> AuditFilter {
    AuditFilter::default()
}

#[test]
fn a_caller_is_meant_by_name_client_id_or_object_id() {
    for named in ["demo-app", "Demo-App", "c-1", OBJECT] {
        assert!(matches(&AuditFilter { principal: Some(named.into()), ..words() }), "{named}");
    }
    assert!(!matches(&AuditFilter { principal: Some("00000000-0000-4000-8000-000000000099".into()), ..words() }));
}

#[test]
fn nobody_of_that_name_is_a_failure_and_not_an_empty_answer() {
    let wanted = AuditFilter { principal: Some("nobody".into()), ..words() };
    assert!(Wanted::new(&wanted, &Names::default(), Timestamp::from_unix_secs(0)).unwrap_err().what.contains("nobody"));
}

#[test]
fn an_account_is_meant_by_its_whole_name() {
    for (account, expected) in [("demo-ai", true), ("account/demo-ai", true), ("demo", false), ("demo-ai-2", false)] {
        assert_eq!(matches(&AuditFilter { account: Some(account.into()), ..words() }), expected, "{account}");
    }
}

#[test]
fn a_place_is_meant_in_every_form_that_a_command_prints_u1() {
    let group = "/subscriptions/00000000-0000-4000-8000-00000000000b/resourceGroups/g";
    let deployment = format!("{group}/providers/Microsoft.CognitiveServices/accounts/demo-ai");
    for place in ["subscription", "group/g", "resourceGroups/G", "demo-ai", "accounts/demo-ai", "demo-ai/chat", group, "/"] {
        assert!(matches(&AuditFilter { scope: Some(place.into()), ..words() }), "{place}");
    }
    for place in ["group/other", "demo", "demo-ai/embed", "/subscriptions/00000000-0000-4000-8000-00000000000c", "identity/demo-ai"] {
        assert!(!matches(&AuditFilter { scope: Some(place.into()), ..words() }), "{place}");
    }
    for named in ["chat", "demo-ai/chat", "demo-ai/deployments/chat"] {
        assert!(matches(&AuditFilter { deployment: Some(named.into()), ..words() }), "{named}");
    }
    assert!(matches(&AuditFilter { account: Some(deployment), ..words() }));
    assert!(!matches(&AuditFilter { deployment: Some("demo-aj/chat".into()), ..words() }));
}

#[test]
fn who_was_probably_meant_is_said_u6() {
    let names = Names::from_triples([("demo-app".to_owned(), String::new(), OBJECT.to_owned())].into_iter());
    let wanted = AuditFilter { principal: Some("demo-ap".into()), ..words() };
    let failure = Wanted::new(&wanted, &names, Timestamp::from_unix_secs(0)).unwrap_err();
    assert_eq!(failure.next.as_deref(), Some("did you mean `demo-app`?"));
}

#[test]
fn every_condition_must_hold() {
    let ago = |secs| Some(args::Moment::Ago(secs));
    assert!(matches(&AuditFilter { deployment: Some("CHAT".into()), since: ago(1001), ..words() }));
    assert!(!matches(&AuditFilter { deployment: Some("chat".into()), since: ago(999), ..words() }));
    assert!(!matches(&AuditFilter { until: ago(1500), ..words() }));
    assert!(!matches(&AuditFilter { outcome: Some(args::Outcome::Denied), ..words() }));
    assert!(!matches(&AuditFilter { category: Some(args::Category::Token), ..words() }));
}
