//! Budgets on the wire.

use keyless_gateway::IdentityLimit;
use keyless_model::entity::Sku;

use crate::support::*;

/// A world in which `chat` is a model with a capacity of one: 1,000 tokens, one call per ten seconds for each unit.
async fn limited(model: &str, capacity: u32) -> World {
    let world = World::new().await;
    world
        .change_deployment("chat", |deployment| {
            deployment.model.name = model.to_owned();
            deployment.sku = Sku { name: "Standard".into(), capacity: Some(capacity) };
        })
        .await;
    world
}

#[tokio::test]
async fn the_headers_say_what_is_left() {
    let mut world = limited("gpt-5", 10).await;
    let answer = world.chat().await;
    let left = |answer: &Answer, name: &str| answer.header(&format!("x-ratelimit-{name}")).unwrap().to_owned();
    assert_eq!(
        (left(&answer, "limit-tokens"), left(&answer, "limit-requests"), left(&answer, "remaining-requests")),
        ("10000".into(), "10".into(), "9".into())
    );
    let estimate = HELLO.len() as u64 / 4 + 16;
    assert_eq!(left(&answer, "remaining-tokens"), (10_000 - estimate).to_string());
    let answer = world.chat().await;
    assert_eq!(left(&answer, "remaining-tokens"), (10_000 - 8 - estimate).to_string(), "the first call was settled with its real usage");
}

#[tokio::test]
async fn a_spent_token_budget_is_refused_in_azures_words_with_what_is_left_d16() {
    let mut world = limited("gpt-5", 1).await;
    let request = world.post(CHAT, r#"{"messages":[],"max_tokens":1000}"#);
    let answer = world.send(request).await;
    assert_eq!(
        answer.line(),
        r#"429 {"error":{"code":"RateLimitReached","message":"Your requests to chat for gpt-5 in local have exceeded the token rate limit for your current OpenAI S0 pricing tier. This request was for ChatCompletions_Create under Azure OpenAI API version 2024-10-21. Please retry after 60 seconds. To increase your default rate limit, visit: https://aka.ms/oai/quotaincrease."}}"#
    );
    assert_eq!((answer.header("retry-after"), answer.header("retry-after-ms")), (Some("60"), Some("60000")));
    let limits = ["limit-tokens", "remaining-tokens", "limit-requests", "remaining-requests"];
    assert_eq!(limits.map(|name| answer.header(&format!("x-ratelimit-{name}")).unwrap().to_owned()), ["1000", "1000", "1", "1"]);
    assert!(world.server.seen().is_empty());
    let decision = world.test.audit.last().decision.unwrap();
    assert_eq!(
        (decision.allowed, &*decision.because, decision.assignment),
        (false, "the token budget is spent", Some(world.test.assignments[0]))
    );
}

#[tokio::test]
async fn calls_are_limited_and_come_back_with_time() {
    let mut world = limited("chat-model", 1).await;
    let answer = world.chat().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = world.chat().await;
    assert!(answer.status == 429 && answer.body.contains("exceeded the call rate limit"), "{answer:?}");
    world.test.clock.advance_secs(10);
    let answer = world.chat().await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn concurrent_calls_do_not_overshoot() {
    let mut world = limited("gpt-5", 100).await;
    let body = r#"{"messages":[],"max_tokens":9994}"#;
    let mut held = Vec::new();
    for _ in 0..30 {
        let (feed, pieces) = tokio::sync::mpsc::channel(1);
        world.server.next(Script::Pieces { content_type: "application/json", pieces });
        held.push(feed);
    }
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let (mut sender, request) = (world.connect().await, world.post(CHAT, body));
        calls.spawn(async move { sender.send_request(request).await.unwrap().status().as_u16() });
    }
    // Each reserves 10,002 of 100,000, and the model server ends none of them: nine fit.
    for _ in 0..21 {
        assert_eq!(calls.join_next().await.unwrap().unwrap(), 429);
    }
    for feed in held {
        _ = feed.send(Ok(ANSWER.into())).await;
    }
    assert_eq!(calls.join_all().await, [200; 9]);
    assert_eq!(world.server.seen().len(), 9);
}

#[tokio::test]
async fn a_failed_call_costs_no_tokens() {
    let mut world = limited("gpt-5", 10).await;
    let failures = [(Script::json(400, r#"{"error":{"message":"no"}}"#), 400), (Script::json(500, "{}"), 502), (Script::HangUp, 502)];
    for (script, status) in failures {
        world.server.next(script);
        let request = world.post(CHAT, r#"{"messages":[],"max_tokens":9000}"#);
        assert_eq!(world.send(request).await.status, status, "each has room for 9,000 of 10,000 tokens");
    }
    let request = world.post(CHAT, r#"{"messages":[],"max_tokens":9000}"#);
    let answer = world.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-ratelimit-limit-tokens")), (200, Some("10000")));
}

#[tokio::test]
async fn an_identity_can_be_limited_below_the_deployment() {
    let limit = IdentityLimit { tokens_per_minute: 1_000_000, requests_per_minute: 2 };
    let mut world = World::with(|config| config.per_identity = Some(limit)).await;
    world.test.assign(keyless_rbac::builtin::COGNITIVE_SERVICES_OPENAI_USER, world.test.app.object_id, &world.test.account.clone()).await;
    assert_eq!(
        [world.chat().await.status, world.chat().await.status, world.chat().await.status].map(|status| status.as_u16()),
        [200, 200, 429]
    );
    let other = format!("Bearer {}", world.test.token(world.test.app, AUDIENCE));
    assert_eq!(world.send(post(CHAT, &[("authorization", &other)], HELLO)).await.status, 200, "another identity has its own budget");
}
