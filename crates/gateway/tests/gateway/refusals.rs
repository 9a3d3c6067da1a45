//! Every refusal, word for word.

use keyless_model::entity::{IpRule, NetworkDefault, PublicNetworkAccess};
use keyless_testkit::{ACCOUNT_KEYS, OTHER_TENANT};

use crate::support::*;

#[tokio::test]
async fn every_refusal_has_azures_words() {
    let mut world = World::new().await;
    let mut lines = String::new();
    let token = world.token();
    let test = &world.test;
    let bearer = |token: String| format!("Bearer {token}");
    let (good, none, owner) = (bearer(token), bearer(test.token(test.app, AUDIENCE)), bearer(test.token(test.operator, AUDIENCE)));
    let audience = bearer(test.token(test.demo_app, "https://management.azure.com"));
    let foreign = bearer(test.token_with(test.foreign_app, AUDIENCE, OTHER_TENANT, 3600));
    let dated = "api-version=2024-10-21";
    let good = [("authorization", good.as_str())];
    let model = |name: &str| HELLO.replace(r#""model":"chat""#, &format!(r#""model":"{name}""#));
    let cases = [
        ("no such account", post("/ai/nobody/openai/v1/chat/completions", &good, HELLO)),
        ("no credential", post(CHAT, &[], HELLO)),
        ("malformed token", post(CHAT, &[("authorization", "Bearer a.b.c")], HELLO)),
        ("no bearer scheme", post(CHAT, &[("authorization", "Basic dXNlcjpwYXNz")], HELLO)),
        ("another audience", post(CHAT, &[("authorization", &audience)], HELLO)),
        ("another tenant", post(CHAT, &[("authorization", &foreign)], HELLO)),
        ("no role", post(CHAT, &[("authorization", &none)], HELLO)),
        ("owner has no data action", post(CHAT, &[("authorization", &owner)], HELLO)),
        ("no role, v1 responses", post("/ai/demo-ai/openai/v1/responses", &[("authorization", &none)], r#"{"model":"chat","input":"x"}"#)),
        ("no role, unknown deployment", post(&CHAT.replace("/chat/chat", "/nothing/chat"), &[("authorization", &none)], HELLO)),
        ("unknown deployment", post(&CHAT.replace("/chat/chat", "/nothing/chat"), &good, HELLO)),
        ("unknown deployment, v1", post(CHAT_V1, &good, &model("nothing"))),
        ("deployment that no id can carry", post(CHAT_V1, &good, &model("../../x y"))),
        ("key while local auth is off", post(CHAT, &[("api-key", ACCOUNT_KEYS[0])], HELLO)),
        ("unknown path", post("/ai/demo-ai/openai/nothing", &good, HELLO)),
        ("unknown path without a credential", post("/ai/demo-ai/openai/nothing", &[], HELLO)),
        ("no api version", post("/ai/demo-ai/openai/deployments/chat/chat/completions", &good, HELLO)),
        ("dated v1", post(&format!("{CHAT_V1}?{dated}"), &good, HELLO)),
        ("known and not served", post(&format!("/ai/demo-ai/openai/assistants?{dated}"), &good, "{}")),
        ("known, not served, no role", post(&format!("/ai/demo-ai/openai/files?{dated}"), &good, "{}")),
        ("model inference", post("/ai/demo-ai/models/chat/completions?api-version=2024-05-01-preview", &good, HELLO)),
        ("model inference without a version, no role", post("/ai/demo-ai/models/embeddings", &[("authorization", &none)], HELLO)),
        ("no JSON", post(CHAT, &good, "hello")),
        ("no model, v1", post(CHAT_V1, &good, "{}")),
        ("model twice", post(CHAT_V1, &good, r#"{"model":"chat","model":"embed"}"#)),
        ("stored conversation", post("/ai/demo-ai/openai/v1/responses", &good, r#"{"model":"chat","previous_response_id":"resp_1"}"#)),
    ];
    for (case, request) in cases {
        let answer = world.send(request).await;
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{case}");
        assert!(answer.header("apim-request-id").is_some_and(|id| answer.header("x-request-id") == Some(id)), "{case}");
        lines.push_str(&format!("{case}\n    {}\n", answer.line()));
    }
    assert!(world.server.seen().is_empty(), "nothing of a refused call reaches the model server");

    world.change_account(|account| account.network_acls.default_action = NetworkDefault::Deny).await;
    lines.push_str(&format!("address outside the rules\n    {}\n", world.chat().await.line()));
    world.change_account(|account| account.network_acls.ip_rules = vec![IpRule { value: "127.0.0.0/8".into() }]).await;
    assert_eq!(world.chat().await.status, 200);
    world.change_account(|account| account.public_network_access = PublicNetworkAccess::Disabled).await;
    lines.push_str(&format!("no public access\n    {}\n", world.chat().await.line()));
    world.change_account(|account| account.public_network_access = PublicNetworkAccess::Enabled).await;
    let late = world.post(CHAT, HELLO);
    world.test.clock.advance_secs(3600 + 61);
    lines.push_str(&format!("expired token\n    {}\n", world.send(late).await.line()));
    insta::assert_snapshot!("refusals", lines);
}

#[tokio::test]
async fn a_deployments_existence_is_told_only_to_those_who_may_call_it() {
    let mut world = World::new().await;
    let none = format!("Bearer {}", world.test.token(world.test.app, AUDIENCE));
    let mut bodies = Vec::new();
    for name in ["chat", "nothing"] {
        let path = CHAT.replace("/chat/chat", &format!("/{name}/chat"));
        bodies.push(world.send(post(&path, &[("authorization", &none)], HELLO)).await.line());
        bodies.push(
            world.send(post(CHAT_V1, &[("authorization", &none)], &HELLO.replace(r#":"chat""#, &format!(r#":"{name}""#)))).await.line(),
        );
    }
    assert_eq!((&bodies[0], &bodies[1]), (&bodies[2], &bodies[3]));
    assert!(bodies[0].starts_with("401 "));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_n81() {
    let mut world = World::with(|config| config.max_request_bytes = 1000).await;
    let long = format!(r#"{{"messages":[{{"content":"{}"}}]}}"#, "x".repeat(1000));
    let request = world.post(CHAT, &long);
    let answer = world.send(request).await;
    assert_eq!(answer.line(), r#"413 {"error":{"code":"RequestTooLarge","message":"the request body is larger than 1000 bytes"}}"#);
    assert!(world.server.seen().is_empty());
}

#[tokio::test]
async fn a_refusal_that_another_try_cannot_change_says_so() {
    let mut world = World::new().await;
    let request = world.get("/ai/demo-ai/openai/assistants?api-version=2024-10-21");
    let answer = world.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-should-retry")), (501, Some("false")));
}

#[tokio::test]
async fn a_refusal_is_sent_before_the_body_is_read() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let world = World::new().await;
    let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{{\"messages\":[");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&buffer[..read]));
}
