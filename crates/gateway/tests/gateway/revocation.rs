//! A right that ends, ends at once: the token, however fresh and well known, only says who it was.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyless_model::Timestamp;
use keyless_model::entity::{Deployment, Entity, KeyState, Mutation, Principal, SigningKey};

use crate::support::*;

/// A world in which `demo-app`'s token has just worked; the token stays the same.
async fn trusted() -> (World, http::Request<http_body_util::Full<bytes::Bytes>>) {
    let mut world = World::new().await;
    let request = world.post(CHAT, HELLO);
    assert_eq!(world.send(request.clone()).await.status, 200);
    assert_eq!(world.send(request.clone()).await.status, 200);
    (world, request)
}

fn principal(world: &World) -> Principal {
    Principal::clone(world.test.snapshot().principal(world.test.demo_app.object_id).unwrap())
}

#[tokio::test]
async fn a_removed_assignment_stops_the_next_call() {
    let (mut world, request) = trusted().await;
    let assignment = world.test.snapshot().policy().assignment(world.test.assignments[0]).unwrap();
    world.test.delete(assignment.clone()).await;
    assert!(world.send(request.clone()).await.body.contains("PermissionDenied"));
    world.test.put(assignment).await;
    assert_eq!(world.send(request).await.status, 200);
}

#[tokio::test]
async fn a_disabled_principal_is_refused_with_a_valid_token() {
    let (mut world, request) = trusted().await;
    let enabled = principal(&world);
    world.test.put(Principal { enabled: false, ..enabled.clone() }).await;
    assert!(world.send(request.clone()).await.line().starts_with(r#"401 {"statusCode":401"#));
    world.test.put(enabled).await;
    assert_eq!(world.send(request).await.status, 200);
}

#[tokio::test]
async fn a_deleted_principal_is_refused_with_a_valid_token_n66() {
    let (mut world, request) = trusted().await;
    world.test.delete(principal(&world)).await;
    assert!(world.send(request).await.line().starts_with(r#"401 {"statusCode":401"#));
}

#[tokio::test]
async fn revoked_sessions_are_refused() {
    let (mut world, request) = trusted().await;
    let from = world.test.platform.clock.now().plus_secs(1);
    world.test.put(Principal { tokens_valid_from: Some(from), ..principal(&world) }).await;
    let answer = world.send(request).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some(challenge(from).as_str()), "a client that understands it fetches anew");
}

fn challenge(valid_from: Timestamp) -> String {
    let claims = format!(r#"{{"access_token":{{"nbf":{{"essential":true,"value":"{}"}}}}}}"#, valid_from.unix_secs());
    let claims = STANDARD.encode(claims);
    let uri = "https://localhost:8443/common/oauth2/authorize";
    format!(r#"Bearer realm="", authorization_uri="{uri}", error="insufficient_claims", claims="{claims}""#)
}

#[tokio::test]
async fn a_token_that_no_newer_one_would_replace_is_not_challenged() {
    let (mut world, request) = trusted().await;
    let enabled = principal(&world);
    world.test.put(Principal { enabled: false, ..enabled }).await;
    assert_eq!(world.send(request).await.header("www-authenticate"), None);
}

#[tokio::test]
async fn a_key_that_is_retired_makes_clients_fetch_anew() {
    let (mut world, request) = trusted().await;
    let key = SigningKey::clone(world.test.snapshot().signing_keys().next().unwrap());
    world.test.put(SigningKey { state: KeyState::Retired, ..key }).await;
    let answer = world.send(request).await;
    assert_eq!(answer.header("www-authenticate"), Some(challenge(world.test.platform.clock.now()).as_str()));
}

#[tokio::test]
async fn a_recreated_object_id_inherits_nothing_n125() {
    let (mut world, request) = trusted().await;
    let old = principal(&world);
    world.test.clock.advance_secs(60);
    let created = world.test.platform.clock.now();
    world.test.apply([Mutation::Delete(Entity::from(old.clone()).key()), Mutation::put(Principal { created, ..old })]).await;
    assert_eq!(world.send(request).await.status, 401);
}

#[tokio::test]
async fn a_token_expires_although_it_is_known_n30() {
    let (mut world, request) = trusted().await;
    world.test.clock.advance_secs(3600 + 61);
    assert_eq!(world.send(request).await.status, 401);
}

#[tokio::test]
async fn a_deleted_deployment_or_account_answers_nothing() {
    let (mut world, request) = trusted().await;
    let deployment = Deployment::clone(world.test.snapshot().deployment(&world.test.account, "chat").unwrap());
    world.test.delete(deployment).await;
    assert!(world.send(request.clone()).await.body.contains("DeploymentNotFound"));
    let deleted = Some(world.test.platform.clock.now());
    world.change_account(|account| account.deleted = deleted).await;
    assert_eq!(world.send(request).await.line(), r#"404 {"error":{"code":"404","message":"Resource not found"}}"#);
}

/// The assignment goes while the body is still on its way.
#[tokio::test]
async fn a_slow_body_does_not_outlive_a_revocation() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    for path in [CHAT, CHAT_V1] {
        let world = World::new().await;
        let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
            world.token(),
            HELLO.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut buffer = vec![0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 100"), "the gateway asked for the body, so the first decision was yes");
        let assignment = world.test.snapshot().policy().assignment(world.test.assignments[0]).unwrap();
        world.test.delete(assignment).await;
        stream.write_all(HELLO.as_bytes()).await.unwrap();
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(String::from_utf8_lossy(&buffer[..read]).contains("PermissionDenied"));
        assert!(world.server.seen().is_empty());
    }
}
