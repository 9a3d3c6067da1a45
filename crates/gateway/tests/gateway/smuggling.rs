//! Requests that two HTTP parsers could read differently.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::*;

async fn raw(world: &World, request: &str) -> String {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The gateway closes what it does not understand; a reset is as good as an end.
    _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let mut world = World::new().await;
    let good = format!("Bearer {}", world.token());
    for second in [good.as_str(), "Bearer x.y.z", "Basic eA=="] {
        let answer = world.send(post(CHAT, &[("authorization", &good), ("authorization", second)], HELLO)).await;
        assert_eq!(answer.status, 401);
    }
    assert!(world.server.seen().is_empty());
}

#[tokio::test]
async fn two_keys_are_refused() {
    let mut world = World::new().await;
    world.change_account(|account| account.disable_local_auth = false).await;
    let key = keyless_testkit::ACCOUNT_KEYS[0];
    let answer = world.send(post(CHAT, &[("api-key", key), ("api-key", key)], HELLO)).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_length_beside_chunks_does_not_smuggle_a_second_request() {
    let world = World::new().await;
    let token = world.token();
    let smuggled = format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}");
    let request = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n{smuggled}"
    );
    let answer = raw(&world, &request).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(world.server.seen().is_empty());
}

#[tokio::test]
async fn malformed_framing_is_refused() {
    let world = World::new().await;
    let token = world.token();
    for framing in [
        "content-length: 2\r\ncontent-length: 3",
        "content-length: -1",
        "content-length: 2, 3",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
    ] {
        let answer = raw(
            &world,
            &format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{framing}\r\nconnection: close\r\n\r\n{{}}"),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{framing}: {answer}");
    }
    assert!(world.server.seen().is_empty());
}

#[tokio::test]
async fn line_breaks_in_a_header_do_not_get_through_n86() {
    let world = World::new().await;
    let answer =
        raw(&world, &format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\nx-ms-client-request-id: a\rset-cookie: b=c\r\nconnection: close\r\n\r\n"))
            .await;
    assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("b=c"), "{answer}");
}
