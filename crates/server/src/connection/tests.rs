use std::net::SocketAddr;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use http_body_util::channel::Channel;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;

const QUICK: Patience = Patience { head: Duration::from_millis(40), idle: Duration::from_millis(60), parting: Duration::from_millis(40) };
/// What nobody waits for in these tests.
const LONG: Duration = Duration::from_secs(600);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:method: GET`, `:scheme: https`, `:path: /` of the static table, `:authority: a`.
const HEAD: &[u8] = &[0x82, 0x87, 0x84, 0x41, 0x01, b'a'];

type Calls = Arc<AtomicUsize>;

/// Serves one connection with `hello`, and tells when it ended.
struct Server {
    address: SocketAddr,
    calls: Calls,
    stop: watch::Sender<bool>,
    done: JoinSet<hyper::Result<()>>,
}

impl Server {
    async fn start(two: bool, patience: Patience) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Calls::default();
        let (stop, stopped) = watch::channel(false);
        let mut done = JoinSet::new();
        let counted = Arc::clone(&calls);
        done.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                async { Response::new(Full::new(Bytes::from_static(b"hello"))) }
            };
            if two { http2(stream, answer, patience, stopped).await } else { http1(stream, answer, patience, stopped).await }
        });
        Self { address, calls, stop, done }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ended(&mut self) {
        _ = self.done.join_next().await.expect("one task").expect("no panic");
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

async fn greeted(server: &Server) -> TcpStream {
    let mut client = server.connect().await;
    client.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    client
}

/// The kinds of all frames until the server closed, and the error code of the last GOAWAY.
async fn frames(client: &mut TcpStream) -> (Vec<u8>, Option<u32>) {
    let mut bytes = Vec::new();
    // A client that still sends is told by a reset.
    _ = client.read_to_end(&mut bytes).await;
    let (mut kinds, mut code) = (Vec::new(), None);
    let mut rest = bytes.as_slice();
    while rest.len() >= 9 {
        let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        kinds.push(rest[3]);
        if rest[3] == GOAWAY {
            code = rest.get(13..17).map(|code| u32::from_be_bytes(code.try_into().unwrap()));
        }
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    (kinds, code)
}

#[tokio::test]
async fn an_http2_client_that_asks_nothing_is_shown_out_d10_i5() {
    let mut server = Server::start(true, QUICK).await;
    let mut client = greeted(&server).await;
    let (kinds, code) = frames(&mut client).await;
    assert!(kinds.contains(&GOAWAY) && code == Some(0), "{kinds:?}");
    server.ended().await;
}

#[tokio::test]
async fn a_head_that_never_ends_holds_no_http2_connection_d10_i5() {
    for beginning in [
        frame(HEADERS, END_STREAM, 1, HEAD),
        [frame(HEADERS, END_STREAM, 1, HEAD), frame(CONTINUATION, 0, 1, HEAD)].concat(),
        frame(HEADERS, END_STREAM, 1, HEAD)[..12].to_vec(),
    ] {
        let mut server = Server::start(true, QUICK).await;
        let mut client = greeted(&server).await;
        client.write_all(&beginning).await.unwrap();
        frames(&mut client).await;
        server.ended().await;
        assert_eq!(server.calls.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn a_client_that_never_spoke_http2_is_cut_off_d10_i5() {
    let mut server = Server::start(true, QUICK).await;
    let mut client = server.connect().await;
    client.write_all(&PREFACE[..5]).await.unwrap();
    frames(&mut client).await;
    server.ended().await;
}

#[tokio::test]
async fn an_idle_http2_connection_ends_after_its_last_call_d10_i5() {
    let mut server = Server::start(true, QUICK).await;
    let mut client = greeted(&server).await;
    client.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, HEAD)).await.unwrap();
    let (kinds, code) = frames(&mut client).await;
    assert!(kinds.contains(&HEADERS) && code == Some(0), "{kinds:?}");
    server.ended().await;
    assert_eq!(server.calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_call_under_way_keeps_its_http2_connection_however_long_it_takes_d10_i5() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (mut pieces, answer) = Channel::<Bytes, Infallible>::new(1);
    let answer = Arc::new(Mutex::new(Some(answer)));
    let (_stop, stopped) = watch::channel(false);
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let answer = move |_| {
            let body = answer.lock().unwrap().take().expect("one call");
            async move { Response::new(body) }
        };
        http2(stream, answer, QUICK, stopped).await
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    serving.spawn(connection);
    let request = Request::get("https://localhost/").body(Full::new(Bytes::new())).unwrap();
    let mut answer = client.send_request(request).await.unwrap().into_body();
    // Longer than anything that is borne with on an idle connection; the clock of the test is the server's own.
    for piece in 0..6 {
        sleep(QUICK.idle).await;
        pieces.send_data(Bytes::from(vec![piece])).await.unwrap();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap()[0], piece);
    }
    drop(pieces);
    // It ends well: with nothing more, or an empty last piece.
    while let Some(last) = answer.frame().await {
        assert!(last.unwrap().into_data().unwrap().is_empty());
    }
    // And now that it is idle it ends, for both sides.
    while let Some(ended) = serving.join_next().await {
        ended.unwrap().unwrap();
    }
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection_d10() {
    let mut server = Server::start(true, Patience { head: LONG, idle: LONG, parting: LONG }).await;
    let mut client = greeted(&server).await;
    let mut flood = Vec::new();
    // One segment, so that the server has read it all when it closes: what it says is then not lost in a reset.
    for stream in 0..100_u32 {
        flood.extend(frame(HEADERS, END_STREAM | END_HEADERS, 2 * stream + 1, HEAD));
        flood.extend(frame(RST_STREAM, 0, 2 * stream + 1, &8_u32.to_be_bytes()));
    }
    client.write_all(&flood).await.unwrap();
    let (_, code) = frames(&mut client).await;
    server.ended().await;
    let calls = server.calls.load(Ordering::Relaxed);
    assert!(calls <= MAX_RESET_STREAMS, "{calls} calls");
    assert_eq!(code, Some(11), "ENHANCE_YOUR_CALM");
}

#[tokio::test]
async fn a_slow_head_holds_no_http1_connection_d10() {
    let mut server = Server::start(false, QUICK).await;
    let mut client = server.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx: ").await.unwrap();
    frames(&mut client).await;
    server.ended().await;
    assert_eq!(server.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_idle_connection_ends_when_the_system_stops() {
    for two in [false, true] {
        let mut server = Server::start(two, Patience { head: LONG, idle: LONG, parting: LONG }).await;
        let stream = server.connect().await;
        let mut asking: JoinSet<()> = JoinSet::new();
        let request = || Request::get("https://localhost/").header("host", "localhost").body(Full::<Bytes>::default()).unwrap();
        let status = if two {
            let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            asking.spawn(async { _ = connection.await });
            client.send_request(request()).await.unwrap().status()
        } else {
            let (mut client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            asking.spawn(async { _ = connection.await });
            client.send_request(request()).await.unwrap().status()
        };
        assert_eq!(status, StatusCode::OK);
        server.stop.send_replace(true);
        server.ended().await;
    }
}

/// As most clients: the whole body is sent before the answer is looked at.
#[tokio::test]
async fn a_request_that_is_refused_before_its_body_was_read_sees_its_answer() {
    let body = vec![b'x'; 300_000];
    for round in 0..50 {
        let mut server = Server::start(false, Patience::of(&Timeouts::default())).await;
        let mut client = server.connect().await;
        let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&body).await.unwrap_or_else(|error| panic!("round {round}: the body cannot be sent: {error}"));
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(b"hello"), "round {round}");
        server.ended().await;
    }
}
