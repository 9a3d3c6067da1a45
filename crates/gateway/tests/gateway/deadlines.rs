//! Nobody holds a model server for longer than the gateway allows: neither a caller who does not read, nor one who does not write.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use keyless_audit::Outcome;
use keyless_gateway::{Timeouts, UpstreamConfig};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use crate::support::*;

const STREAM: &str = r#"{"messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
const PATIENCE: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(300);

type Feed = Sender<Result<Bytes, &'static str>>;

async fn world(change: impl FnOnce(&mut Timeouts)) -> World {
    World::with(|config| change(&mut config.timeouts)).await
}

/// A stream that has begun and that nobody reads.
async fn unread(world: &mut World, http2: bool) -> (Feed, Response<Incoming>) {
    let (feed, script) = Script::stream(1);
    world.server.next(script);
    let request = world.post(CHAT, STREAM);
    let response = if http2 { over_http2(world, request).await } else { world.open(request).await };
    (feed, response)
}

async fn over_http2(world: &mut World, request: Request<Full<Bytes>>) -> Response<Incoming> {
    let stream = TcpStream::connect(world.listen_http2().await).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    world.keep(async move { _ = connection.await });
    let (mut head, body) = request.into_parts();
    head.uri = format!("http://localhost{}", head.uri).parse().unwrap();
    head.headers.remove("host");
    sender.send_request(Request::from_parts(head, body)).await.unwrap()
}

/// Says more than anybody has room for, until the gateway hangs up.
async fn pour(feed: &Feed) {
    let piece = Bytes::from(format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "a".repeat(100_000)));
    while feed.send(Ok(piece.clone())).await.is_ok() {}
}

#[tokio::test]
async fn a_caller_who_does_not_read_gives_the_model_server_back_d11() {
    for http2 in [false, true] {
        let mut world = world(|timeouts| timeouts.unread = SOON).await;
        let (feed, _response) = unread(&mut world, http2).await;
        timeout(PATIENCE, pour(&feed)).await.expect("the model server is still held");
        let event = world.test.audit.last();
        assert_eq!(event.outcome, Outcome::Failed);
        assert!(event.decision.unwrap().because.starts_with("the caller stopped reading the answer"), "http2: {http2}");
        assert!(event.data.unwrap().cancelled);
    }
}

#[tokio::test]
async fn a_lost_right_ends_a_stream_that_nobody_reads_d11() {
    for http2 in [false, true] {
        let mut world = world(|timeouts| timeouts.unread = Duration::from_secs(3600)).await;
        let (feed, _response) = unread(&mut world, http2).await;
        timeout(Duration::from_millis(500), pour(&feed)).await.expect_err("the caller has no room left");
        let assignment = world.test.snapshot().policy().assignment(world.test.assignments[0]).unwrap();
        world.test.delete(assignment).await;
        timeout(PATIENCE, feed.closed()).await.expect("the model server works on");
        let decision = world.test.audit.events().into_iter().rev().find(|event| event.data.is_some()).unwrap().decision.unwrap();
        assert!(!decision.allowed && decision.because.starts_with("the answer was cut off: "), "{}", decision.because);
    }
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_over_d11() {
    let mut world = world(|timeouts| timeouts.call = SOON).await;
    let (feed, response) = unread(&mut world, false).await;
    let answer = timeout(PATIENCE, http_body_util::BodyExt::collect(response.into_body())).await.expect("the call goes on");
    assert!(answer.is_err(), "it does not look like a whole answer");
    timeout(PATIENCE, feed.closed()).await.expect("the model server works on");
    let decision = world.test.audit.last().decision.unwrap();
    assert!(decision.because.starts_with("the call took longer than the gateway allows"), "{}", decision.because);
}

#[tokio::test]
async fn an_upload_that_stops_in_the_middle_is_cut_off_d11() {
    let world = world(|timeouts| timeouts.upload_idle = SOON).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let open = r#"{"messages":[{"content":""#;
    let head =
        format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 900000\r\n\r\n{open}", world.token());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 400_000]).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = timeout(PATIENCE, stream.read(&mut answer)).await.expect("the upload is waited for").unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer[..read]));
    assert!(world.server.seen().is_empty(), "no whole request arrived");
}

#[tokio::test]
async fn a_model_server_that_never_shakes_hands_is_not_waited_for_d11() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = mute.local_addr().unwrap();
    let mut world = World::with(|config| {
        config.timeouts.connect = SOON;
        let base_url = format!("https://{address}/v1").parse().unwrap();
        let ca = vec![CertificateDer::from(vec![0])];
        config.upstreams = vec![UpstreamConfig { ca, ..UpstreamConfig::open_ai("default", base_url) }];
    })
    .await;
    let answer = timeout(PATIENCE, world.chat()).await.expect("the handshake is waited for");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(world.test.audit.last().decision.unwrap().because.contains("not connected within 300 ms"));
}
