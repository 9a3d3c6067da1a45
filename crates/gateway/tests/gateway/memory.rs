//! Request bodies in memory: bounded for all, shared between callers, and nothing for those who may call nothing.

use std::time::Duration;

use keyless_rbac::builtin::COGNITIVE_SERVICES_OPENAI_USER;
use keyless_testkit::ACCOUNT_KEYS;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::*;

const RESPONSES_V1: &str = "/ai/demo-ai/openai/v1/responses";

/// A connection whose request has begun: `part` of a body that is announced as a million bytes.
async fn begun(world: &World, path: &str, credential: &str, part: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{credential}\r\ncontent-length: 1000000\r\n\r\n{part}");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 8192];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await.expect("no answer").unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

/// Ends once so many bytes are held.
async fn holds(world: &World, bytes: u64) {
    let reached = async {
        while world.gateway.held_bytes() != bytes {
            tokio::task::yield_now().await;
        }
    };
    let held = || format!("{} bytes are held, not {bytes}", world.gateway.held_bytes());
    tokio::time::timeout(Duration::from_secs(10), reached).await.unwrap_or_else(|_| panic!("{}", held()));
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// An object that has said nothing of its model.
fn part(bytes: usize) -> String {
    let open = r#"{"input":""#;
    format!("{open}{}", "x".repeat(bytes - open.len()))
}

#[tokio::test]
async fn the_body_of_a_caller_without_a_role_is_not_waited_for_d4() {
    let world = World::new().await;
    let roleless = bearer(&world.test.token(world.test.app, AUDIENCE));
    for path in [RESPONSES_V1, CHAT_V1, "/ai/demo-ai/openai/responses?api-version=2025-04-01-preview"] {
        let mut stream = begun(&world, path, &roleless, &part(10_000)).await;
        let answer = answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("lacks the required data action"), "{path}: {answer}");
        assert_eq!(world.gateway.held_bytes(), 0);
    }
}

#[tokio::test]
async fn a_role_at_one_deployment_is_enough_for_the_body_to_be_read_and_for_nothing_else_d4() {
    let mut world = World::new().await;
    let chat = world.test.snapshot().deployment(&world.test.account, "chat").unwrap().scope.clone();
    world.test.assign(COGNITIVE_SERVICES_OPENAI_USER, world.test.app.object_id, &chat).await;
    let token = format!("Bearer {}", world.test.token(world.test.app, AUDIENCE));
    let mut ask = async |model: &str| {
        let body = HELLO.replace(r#":"chat""#, &format!(r#":"{model}""#));
        world.send(post(CHAT_V1, &[("authorization", &token)], &body)).await.status.as_u16()
    };
    assert_eq!([ask("chat").await, ask("embed").await], [200, 401]);
}

#[tokio::test]
async fn a_caller_at_its_share_waits_and_others_go_on_d4() {
    let mut world = World::with(|config| config.body_memory_bytes = 400_000).await;
    world.test.assign(COGNITIVE_SERVICES_OPENAI_USER, world.test.app.object_id, &world.test.account.clone()).await;
    let (greedy, other) = (world.token(), world.test.token(world.test.app, AUDIENCE));
    let held = begun(&world, RESPONSES_V1, &bearer(&greedy), &part(90_000)).await;
    holds(&world, 90_000).await;
    let refused = answer(&mut begun(&world, RESPONSES_V1, &bearer(&greedy), &part(20_000)).await).await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: 1\r\n"), "{refused}");
    let other = post(CHAT_V1, &[("authorization", &format!("Bearer {other}"))], HELLO);
    assert_eq!(world.send(other).await.status, 200);
    drop(held);
    holds(&world, 0).await;
    assert_eq!(world.chat().await.status, 200);
}

#[tokio::test]
async fn all_callers_together_stay_below_the_bound_d4() {
    let world = World::with(|config| config.body_memory_bytes = 400_000).await;
    world.change_account(|account| account.disable_local_auth = false).await;
    for app in [world.test.app, world.test.operator] {
        world.test.assign(COGNITIVE_SERVICES_OPENAI_USER, app.object_id, &world.test.account.clone()).await;
    }
    let mut held = Vec::new();
    let credentials = [
        bearer(&world.token()),
        bearer(&world.test.token(world.test.app, AUDIENCE)),
        bearer(&world.test.token(world.test.operator, AUDIENCE)),
        format!("api-key: {}", ACCOUNT_KEYS[0]),
    ];
    for (index, credential) in credentials.iter().enumerate() {
        held.push(begun(&world, RESPONSES_V1, credential, &part(100_000)).await);
        holds(&world, 100_000 * (index as u64 + 1)).await;
    }
    let fifth = format!("api-key: {}", ACCOUNT_KEYS[1]);
    let refused = answer(&mut begun(&world, RESPONSES_V1, &fifth, &part(1_000)).await).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert_eq!(world.gateway.held_bytes(), 400_000);
    drop(held);
    holds(&world, 0).await;
}

/// The official Python client writes `model` after `messages` and `input`.
#[tokio::test]
async fn a_long_prompt_may_come_before_the_name_of_the_model() {
    let mut world = World::new().await;
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{}"}}],"model":"chat"}}"#, "x".repeat(1_000_000));
    let request = world.post(CHAT_V1, &body);
    assert_eq!(world.send(request).await.status, 200);
    holds(&world, 0).await;
}
