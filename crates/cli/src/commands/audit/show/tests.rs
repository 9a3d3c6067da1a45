use keyless_audit::{DataDetail, DecisionRecord, TokenDetail};
use keyless_model::{Actor, OpContext, RequestId, Timestamp};

use super::*;

const OBJECT: &str = "00000000-0000-4000-8000-000000000010";

fn event(actor: Actor, category: Category, operation: &'static str, outcome: Outcome) -> AuditEvent {
    let now = Timestamp::from_unix_millis(1_795_219_200_250);
    AuditEvent::new(&OpContext::new(RequestId::from_u128(1), now, actor), category, operation, outcome)
}

fn principal() -> Actor {
    Actor::Principal { id: OBJECT.parse().unwrap(), tenant: keyless_model::TenantId::from_u128(2), client_id: None }
}

fn events() -> Vec<AuditEvent> {
    let account =
        "/subscriptions/00000000-0000-4000-8000-00000000000b/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai";
    let data = DataDetail {
        deployment: Some("chat".into()),
        prompt_tokens: Some(32),
        completion_tokens: Some(8),
        latency_micros: 12_345,
        ..DataDetail::default()
    };
    let decision = |allowed, because: &'static str| Some(DecisionRecord { allowed, because: because.into(), ..DecisionRecord::default() });
    let mut answered = event(principal(), Category::Data, "ChatCompletions_Create", Outcome::Allowed);
    (answered.status, answered.target, answered.decision) = (Some(200), account.parse().ok(), decision(true, "assignment 1 grants role 2"));
    answered.data = Some(data.clone());
    let mut keyed = event(Actor::AccountKey { fingerprint: "4f1c".into() }, Category::Data, "ChatCompletions_Create", Outcome::Allowed);
    (keyed.status, keyed.target, keyed.data) = (Some(200), account.parse().ok(), Some(data));
    let mut assigned = event(principal(), Category::Control, "Microsoft.Authorization/roleAssignments/write", Outcome::Denied);
    (assigned.status, assigned.target, assigned.decision) =
        (Some(403), account.parse().ok(), decision(false, "no role assignment covers the scope"));
    let mut token = event(Actor::Anonymous, Category::Token, "Token_Issue", Outcome::Denied);
    let detail = TokenDetail {
        grant: "client_credentials".into(),
        audience: Some("https://cognitiveservices.azure.com".into()),
        error: Some("AADSTS7000218".into()),
        ..TokenDetail::default()
    };
    (token.status, token.token) = (Some(401), Some(detail));
    vec![answered, keyed, assigned, token, event(Actor::System("start"), Category::System, "System_Start", Outcome::Allowed)]
}

#[test]
fn events_are_a_table_that_names_who() {
    let names = Names::from_triples([("demo-app".to_owned(), "c".to_owned(), OBJECT.to_owned())].into_iter());
    let text = table(&names, events().iter(), None, false);
    let plain = anstream::adapter::strip_str(&text).to_string();
    insta::assert_snapshot!(plain.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_narrow_terminal_keeps_time_outcome_and_object_id_on_one_line() {
    let names = Names::default();
    let text = table(&names, events().iter(), Some(120), false);
    let plain = anstream::adapter::strip_str(&text).to_string();
    assert!(plain.lines().all(|line| line.chars().count() <= 120), "{plain}");
    assert!(plain.lines().nth(1).unwrap().starts_with("00:00:00  allowed 200  00000000  -"), "{plain}");
    assert!(plain.contains(OBJECT));
}

#[test]
fn eighty_columns_name_who_and_tell_the_whole_reason_u7() {
    let plain = |names: &Names| {
        let text = table(names, events().iter(), Some(80), false);
        anstream::adapter::strip_str(&text).to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    let known = Names::from_triples([("demo-app".to_owned(), "c".to_owned(), OBJECT.to_owned())].into_iter());
    insta::assert_snapshot!(plain(&known), @r"
    UTC       outcome      request   who           what
    00:00:00  allowed 200  00000000  demo-app      demo-ai/chat
              ChatCompletions_Create  32+8  assignment 1 grants role 2
    00:00:00  allowed 200  00000000  an API key    demo-ai/chat
              ChatCompletions_Create  32+8
    00:00:00  denied 403   00000000  demo-app      demo-ai  roleAssignments/write
              no role assignment covers the scope
    00:00:00  denied 401   00000000  nobody known  cognitiveservices.azure.com
              Token_Issue  AADSTS7000218
    00:00:00  allowed      00000000  keyless       System_Start  start
    ");
    let nameless = plain(&Names::default());
    assert!(nameless.contains("00000000…") && nameless.lines().all(|line| line.chars().count() <= 80), "{nameless}");
}

#[test]
fn a_whole_second_is_written_like_the_others() {
    let mut event = events().remove(0);
    event.time = Timestamp::from_unix_secs(1_795_219_200);
    assert_eq!(time(&event).len(), "2026-11-21 03:04:05.678".len());
}
