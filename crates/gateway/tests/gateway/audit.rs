//! The record is part of the answer: without one there is none.

use keyless_audit::{ActorRecord, Category, Outcome};
use keyless_model::entity::{DenyAssignment, DenyPrincipal, Mutation, Permissions};
use keyless_model::{DenyAssignmentId, Timestamp};
use keyless_rbac::builtin;
use keyless_testkit::ACCOUNT_KEYS;

use crate::support::*;

#[tokio::test]
async fn a_call_is_recorded_with_who_what_and_how_much() {
    let mut world = World::new().await;
    world.chat().await;
    let event = world.test.audit.last();
    assert_eq!(
        (event.category, &*event.operation, event.outcome, event.status),
        (Category::Data, "ChatCompletions_Create", Outcome::Allowed, Some(200))
    );
    let ActorRecord::Principal { object_id, client_id, .. } = event.actor else { panic!("{:?}", event.actor) };
    assert_eq!((object_id, client_id), (world.test.demo_app.object_id, Some(world.test.demo_app.client_id)));
    assert_eq!(event.source, Some("127.0.0.1".parse().unwrap()));
    let data = event.data.unwrap();
    assert_eq!(
        (data.deployment.as_deref(), data.model.as_deref(), data.api_version.as_deref()),
        (Some("chat"), Some("chat-model"), Some("2024-10-21"))
    );
    assert_eq!((data.prompt_tokens, data.completion_tokens), (Some(3), Some(5)));
    assert_eq!((data.request_bytes, data.response_bytes), (HELLO.len() as u64, ANSWER.len() as u64));
    assert!(data.token_id.is_some_and(|id| !id.is_empty()) && !data.streamed && !data.cancelled);
}

#[tokio::test]
async fn a_call_is_recorded_with_what_was_decided_and_where() {
    let mut world = World::new().await;
    let token = format!("Bearer {}", world.test.token(world.test.app, AUDIENCE));
    let ids = [("authorization", token.as_str()), ("x-ms-client-request-id", "job-7")];
    let asked = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";

    assert_eq!(world.send(post(CHAT, &ids, HELLO)).await.status, 401);
    let refused = world.test.audit.last();
    assert_eq!(refused.data.unwrap().action.as_deref(), Some(asked));
    assert_eq!(refused.target, Some(world.test.account.join("deployments/chat").unwrap()));
    assert_eq!((refused.client_request_id.as_deref(), refused.location.as_deref()), (Some("job-7"), Some("local")));
    assert_eq!(refused.decision.unwrap().because, "no role assignment covers the scope");

    let assigned = world.test.assign(builtin::COGNITIVE_SERVICES_OPENAI_USER, world.test.app.object_id, &world.test.account.clone()).await;
    assert_eq!(world.send(post(CHAT, &ids, HELLO)).await.status, 200);
    let allowed = world.test.audit.last();
    assert_eq!(allowed.decision.unwrap().assignment, Some(assigned.id));
    assert_eq!(allowed.data.unwrap().action.as_deref(), Some(asked));

    let deny = DenyAssignmentId::from_u128(0xD);
    world.test.apply([Mutation::put(forbidden(&world, deny))]).await;
    assert_eq!(world.send(post(CHAT, &ids, HELLO)).await.status, 401);
    let denied = world.test.audit.last().decision.unwrap();
    assert_eq!((denied.deny, denied.assignment, denied.allowed), (Some(deny), None, false));
}

/// Everyone is denied every data action at the account.
fn forbidden(world: &World, id: DenyAssignmentId) -> DenyAssignment {
    DenyAssignment {
        id,
        name: "audit in progress".to_owned(),
        description: String::new(),
        scope: world.test.account.clone(),
        permissions: vec![Permissions { data_actions: vec!["*".to_owned()], ..Permissions::default() }],
        do_not_apply_to_child_scopes: false,
        principals: [DenyPrincipal::Everyone].into(),
        exclude_principals: [].into(),
        created: Timestamp::default(),
    }
}

#[tokio::test]
async fn every_refusal_is_recorded_once() {
    let mut world = World::new().await;
    for (request, outcome) in [
        (post(CHAT, &[], HELLO), Outcome::Denied),
        (post(CHAT, &[("authorization", "Bearer x.y.z")], HELLO), Outcome::Denied),
        (post("/ai/nobody/openai/v1/models", &[], ""), Outcome::Denied),
        (world.post("/ai/demo-ai/openai/nothing", ""), Outcome::Denied),
        (world.post(CHAT, "no json"), Outcome::Denied),
    ] {
        let answer = world.send(request).await;
        let events = world.test.audit.take();
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].outcome, events[0].status), (outcome, Some(answer.status.as_u16())));
        assert_eq!(events[0].request_id.to_string(), answer.header("x-request-id").unwrap());
        assert!(events[0].decision.as_ref().is_some_and(|decision| !decision.allowed && !decision.because.is_empty()));
    }
}

#[tokio::test]
async fn no_event_and_no_answer_holds_a_credential_n130() {
    let mut world = World::new().await;
    let token = world.token();
    let answers = [
        world.send(post(CHAT, &[("authorization", &format!("Bearer {token}x"))], HELLO)).await,
        world.send(post(CHAT, &[("authorization", &token)], HELLO)).await,
        world.send(post(CHAT, &[("api-key", ACCOUNT_KEYS[0])], HELLO)).await,
        world.send(post(&format!("{CHAT}&api-key={}", ACCOUNT_KEYS[0]), &[("authorization", &format!("Bearer {token}"))], "x")).await,
    ];
    let dump = format!("{answers:?} {:?}", world.test.audit.events());
    assert!(!dump.contains(&token) && !dump.contains(ACCOUNT_KEYS[0]));
}

#[tokio::test]
async fn without_an_audit_log_no_call_reaches_the_model_server() {
    let mut world = World::new().await;
    world.test.audit.fail("disk full");
    let answer = world.chat().await;
    assert_eq!(
        answer.line(),
        r#"503 {"error":{"code":"ServiceUnavailable","message":"The audit log cannot be written, so no call is answered. Please retry later."}}"#
    );
    assert_eq!(answer.header("retry-after"), Some("10"));
    assert!(world.server.seen().is_empty());
    world.test.audit.recover();
    assert_eq!(world.chat().await.status, 200);
}

#[tokio::test]
async fn an_answer_that_cannot_be_recorded_is_withheld() {
    let mut world = World::new().await;
    let (feed, script) = Script::stream(4);
    world.server.next(script);
    let request = world.post(CHAT, r#"{"messages":[]}"#);
    let mut sender = world.connect().await;
    let call = sender.send_request(request);
    let fail = async {
        while world.server.seen().is_empty() {
            tokio::task::yield_now().await;
        }
        world.test.audit.fail("disk full");
        // An event stream nobody asked for, so that the answer begins while the log is already broken.
        feed.send(Ok("data: {\"choices\":[]}\n\n".into())).await.unwrap();
        feed.send(Ok("data: [DONE]\n\n".into())).await.unwrap();
    };
    let (response, ()) = tokio::join!(call, fail);
    assert!(Answer::of(response.unwrap()).await.is_err(), "the stream breaks off instead of ending");

    world.test.audit.recover();
    let (feed, pieces) = tokio::sync::mpsc::channel(4);
    world.server.next(Script::Pieces { content_type: "application/json", pieces });
    feed.send(Ok(format!("{{\"x\":\"{}", "y".repeat(200_000)).into())).await.unwrap();
    let request = world.post(CHAT, HELLO);
    let response = world.open(request).await;
    world.test.audit.fail("disk full");
    feed.send(Ok("\"}".into())).await.unwrap();
    drop(feed);
    assert!(Answer::of(response).await.is_err(), "the last bytes of a long answer are held back");
}

/// A stream of which one piece was passed on before the log could not be written any more.
async fn cut_short(
    world: &mut World,
) -> (http::Response<hyper::body::Incoming>, tokio::sync::mpsc::Sender<Result<bytes::Bytes, &'static str>>) {
    let (feed, script) = Script::stream(4);
    world.server.next(script);
    feed.send(Ok("data: {\"choices\":[]}\n\n".into())).await.unwrap();
    let request = world.post(CHAT, r#"{"messages":[],"stream":true}"#);
    let mut response = world.open(request).await;
    http_body_util::BodyExt::frame(response.body_mut()).await.unwrap().unwrap();
    world.test.audit.fail("disk full");
    (response, feed)
}

#[tokio::test]
async fn an_answer_that_broke_off_for_want_of_a_record_is_recorded_once_that_is_possible() {
    let mut world = World::new().await;
    let (response, feed) = cut_short(&mut world).await;
    feed.send(Ok("data: [DONE]\n\n".into())).await.unwrap();
    assert!(Answer::of(response).await.is_err());
    // Refusals are not kept: nothing of these calls has left.
    assert_eq!(world.chat().await.status, 503);
    assert!(world.test.audit.take().is_empty());
    world.test.audit.recover();
    let [event] = &world.test.audit.take()[..] else { panic!("one event for one answer") };
    assert_eq!((event.outcome, event.status), (Outcome::Failed, Some(200)));
    let decision = event.decision.as_ref().unwrap();
    assert!(decision.because.starts_with("the answer broke off, as the audit log could not be written ("), "{}", decision.because);
    assert!(decision.assignment.is_some() && event.data.as_ref().is_some_and(|data| data.response_bytes > 0));
}

#[tokio::test]
async fn an_answer_whose_caller_leaves_while_the_log_cannot_be_written_is_recorded_later() {
    let mut world = World::new().await;
    let (response, feed) = cut_short(&mut world).await;
    drop(response);
    feed.closed().await;
    // The model server's connection goes with the call.
    while world.gateway.calls_under_way() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(world.test.audit.take().is_empty());
    world.test.audit.recover();
    let [event] = &world.test.audit.take()[..] else { panic!("one event for one answer") };
    assert_eq!((event.outcome, event.status), (Outcome::Failed, Some(499)));
    assert!(event.data.as_ref().is_some_and(|data| data.cancelled));
}

#[tokio::test]
async fn a_short_answer_that_cannot_be_recorded_is_a_clean_refusal() {
    let mut world = World::new().await;
    let (feed, pieces) = tokio::sync::mpsc::channel(1);
    world.server.next(Script::Pieces { content_type: "application/json", pieces });
    let request = world.post(CHAT, HELLO);
    let mut sender = world.connect().await;
    let fail = async {
        while world.server.seen().is_empty() {
            tokio::task::yield_now().await;
        }
        world.test.audit.fail("disk full");
        feed.send(Ok(ANSWER.into())).await.unwrap();
        drop(feed);
    };
    let (response, ()) = tokio::join!(sender.send_request(request), fail);
    assert_eq!(Answer::of(response.unwrap()).await.unwrap().status, 503);
}

#[tokio::test]
async fn many_refusals_of_callers_without_a_right_are_counted_and_calls_are_not_d5_i7() {
    let mut world = World::new().await;
    let none = format!("Bearer {}", world.test.token(world.test.app, AUDIENCE));
    for _ in 0..50 {
        world.send(post(CHAT, &[], HELLO)).await;
        world.send(post("/ai/nobody/openai/v1/models", &[], "")).await;
        world.send(post(CHAT, &[("authorization", &none)], HELLO)).await;
        assert_eq!(world.chat().await.status, 200);
    }
    world.test.platform.write_counts(true).unwrap();
    let events = world.test.audit.take();
    let calls = events.iter().filter(|event| event.outcome == Outcome::Allowed).count();
    assert_eq!((calls, events.len()), (50, 50 + 3 * (5 + 1)));
    assert_eq!(events.iter().filter_map(|event| event.repeated).map(|repeated| repeated.number).sum::<u64>(), 3 * 45);
}

#[tokio::test]
async fn counted_refusals_are_not_answered_while_the_log_cannot_be_written_d5_i7() {
    let mut world = World::new().await;
    for _ in 0..10 {
        assert_eq!(world.send(post(CHAT, &[], HELLO)).await.status, 401);
    }
    world.test.audit.fail("disk full");
    assert_eq!(world.send(post(CHAT, &[], HELLO)).await.status, 503);
    assert!(world.test.platform.write_counts(true).is_err());
    world.test.audit.recover();
    world.test.platform.write_counts(true).unwrap();
    assert!(world.test.audit.last().repeated.is_some_and(|repeated| repeated.number == 6));
}
