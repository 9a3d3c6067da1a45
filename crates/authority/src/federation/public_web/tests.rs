//! The real fetcher against servers on loopback, which only a named issuer may be on.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

/// Answers as told, differently the second time, and counts.
#[derive(Debug)]
struct Rebinding {
    answers: [Vec<SocketAddr>; 2],
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Rebinding {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        let n = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.answers[n.min(1)].clone())
    }
}

fn named() -> Place {
    Place::Named { certificates: Vec::new() }
}

/// A server that answers every connection with these bytes, and counts connections.
async fn server(answer: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            // The fetcher hangs up on what it does not want.
            let _ = stream.write_all(&answer).await;
        }
    });
    (address, connections, tasks)
}

fn ok(body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

async fn get(address: SocketAddr, place: &Place) -> Result<Vec<u8>, FetchError> {
    let web = PublicWeb::new(&[]);
    let url: Uri = format!("http://{address}/keys").parse().unwrap();
    tokio::time::timeout(Duration::from_secs(10), web.get(&url, place)).await.unwrap()
}

#[tokio::test]
async fn a_named_issuer_on_loopback_is_fetched() {
    let (address, _, _tasks) = server(ok(b"{}")).await;
    assert_eq!(get(address, &named()).await.unwrap(), b"{}");
}

#[tokio::test]
async fn nobody_else_is_fetched_from_a_private_address_or_in_plain_n53() {
    let (address, connections, _tasks) = server(ok(b"{}")).await;
    let web = PublicWeb::new(&[]);
    for url in [format!("https://{address}/keys"), format!("https://localhost:{}/keys", address.port())] {
        let refused = web.get(&url.parse().unwrap(), &Place::Public).await;
        assert!(matches!(refused, Err(FetchError::PrivateAddress(_))), "{refused:?}");
    }
    assert!(matches!(get(address, &Place::Public).await, Err(FetchError::Url(_))), "plain HTTP");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_is_resolved_differently_the_second_time_gains_nothing_n54() {
    let (address, connections, _tasks) = server(ok(b"{}")).await;
    // A public address beside a private one: neither is connected to.
    let public = SocketAddr::from(([8, 8, 8, 8], address.port()));
    let resolver = Arc::new(Rebinding { answers: [vec![public, address], vec![address]], asked: AtomicUsize::new(0) });
    let web = PublicWeb::with_resolver(Arc::clone(&resolver) as _);
    let refused = web.get(&"https://rebind.example/keys".parse().unwrap(), &Place::Public).await;
    assert!(matches!(refused, Err(FetchError::PrivateAddress(_))), "{refused:?}");
    assert_eq!((resolver.asked.load(Ordering::SeqCst), connections.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn the_judged_address_is_the_one_connected_to_n54() {
    let (first, at_first, _one) = server(ok(b"first")).await;
    let (second, at_second, _two) = server(ok(b"second")).await;
    let resolver = Arc::new(Rebinding { answers: [vec![first], vec![second]], asked: AtomicUsize::new(0) });
    let web = PublicWeb::with_resolver(Arc::clone(&resolver) as _);
    let document = web.get(&"http://localhost/keys".parse().unwrap(), &named()).await.unwrap();
    assert_eq!(document, b"first");
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    assert_eq!((at_first.load(Ordering::SeqCst), at_second.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn plain_http_reaches_no_other_machine_whatever_its_name_says_i13() {
    let elsewhere = SocketAddr::from(([192, 0, 2, 1], 80));
    let resolver = Arc::new(Rebinding { answers: [vec![elsewhere], vec![elsewhere]], asked: AtomicUsize::new(0) });
    let web = PublicWeb::with_resolver(Arc::clone(&resolver) as _);
    for url in ["http://idp.corp.example/keys", "http://10.0.0.7/keys", "http://localhost/keys"] {
        assert!(matches!(web.get(&url.parse().unwrap(), &named()).await, Err(FetchError::Url(_))), "{url}");
    }
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1, "only `localhost` is looked up, and then found to be elsewhere");
}

#[tokio::test]
async fn redirects_are_not_followed_n56() {
    let (target, connections, _two) = server(ok(b"secret of the inner network")).await;
    for status in ["301", "302", "307", "308"] {
        let answer = format!("HTTP/1.1 {status} Moved\r\nlocation: http://{target}/\r\ncontent-length: 0\r\n\r\n");
        let (address, _, _one) = server(answer.into_bytes()).await;
        assert!(matches!(get(address, &named()).await, Err(FetchError::Status { .. })));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn oversized_and_compressed_documents_are_cut_off_n57() {
    let large = vec![b' '; MAX_DOCUMENT + 1];
    let mut endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..40 {
        endless.extend_from_slice(b"2000\r\n");
        endless.extend_from_slice(&[b' '; 0x2000]);
        endless.extend_from_slice(b"\r\n");
    }
    let bomb = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b".to_vec();
    for answer in [ok(&large), endless, bomb] {
        let (address, _, _tasks) = server(answer).await;
        assert!(matches!(get(address, &named()).await, Err(FetchError::TooLarge(_))));
    }
    let (address, _, _tasks) = server(ok(&large[..MAX_DOCUMENT])).await;
    assert_eq!(get(address, &named()).await.unwrap().len(), MAX_DOCUMENT);
}

#[tokio::test]
async fn a_broken_exchange_is_an_error() {
    for answer in [b"".to_vec(), b"not http".to_vec(), b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort".to_vec()] {
        let (address, _, _tasks) = server(answer).await;
        assert!(matches!(get(address, &named()).await, Err(FetchError::Exchange { .. })));
    }
}

#[tokio::test]
async fn urls_with_user_names_or_without_hosts_are_refused() {
    let web = PublicWeb::new(&[]);
    for url in ["https://user@ci.example/", "https://user:pw@ci.example/", "ftp://ci.example/", "/keys"] {
        assert!(matches!(web.get(&url.parse().unwrap(), &Place::Public).await, Err(FetchError::Url(_))), "{url}");
    }
}

#[tokio::test]
async fn a_form_is_posted_and_any_status_is_an_answer() {
    let (address, _, _tasks) = server(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}".to_vec()).await;
    let form = || FormPost { body: "code=x".to_owned().into(), authorization: Some("Basic eDp5".to_owned().into()) };
    let web = PublicWeb::new(&[]);
    let url: Uri = format!("http://{address}/token").parse().unwrap();
    assert_eq!(web.post(&url, &named(), form()).await.unwrap(), (StatusCode::BAD_REQUEST, b"{}".to_vec()));
    assert!(matches!(web.post(&url, &Place::Public, form()).await, Err(FetchError::Url(_))), "never in plain to strangers");
}
