//! Stand-ins for a system, for this crate's tests.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use keyless_model::Timestamp;
use keyless_server::local::api::{AccountStatus, IdentityStatus, Status, UpstreamStatus};

/// A request as it arrived: `METHOD target`, the head's lines, the body.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Reads one request and answers it; false when the connection has ended.
fn answer(stream: &mut (impl Read + Write), reply: &impl Fn(&Received) -> (u16, String), seen: &impl Fn(Received)) -> bool {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
            if body.len() >= length {
                let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
                let received = Received { line, head: head.to_owned(), body: body.to_owned() };
                let (status, text) = reply(&received);
                seen(received);
                let answer =
                    format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}", text.len());
                return stream.write_all(answer.as_bytes()).is_ok();
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

/// Listens on the local socket of a data folder. Ends each connection after `answers_per_connection` answers.
pub(crate) fn local_socket(
    data: &Path,
    answers_per_connection: usize,
    reply: impl Fn(&Received) -> (u16, String) + Send + 'static,
) -> Receiver<Received> {
    let listener = UnixListener::bind(data.join("keyless.sock")).unwrap();
    let (send, receive) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            for _ in 0..answers_per_connection {
                if !answer(&mut stream, &reply, &|received| send.send(received).unwrap_or_default()) {
                    break;
                }
            }
        }
    });
    receive
}

/// A plain HTTP server on loopback; its URL and what arrives.
pub(crate) fn http(reply: impl Fn(&Received) -> (u16, String) + Send + 'static) -> (String, Receiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, receive) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(&mut stream.unwrap(), &reply, &|received| send.send(received).unwrap_or_default());
        }
    });
    (url, receive)
}

pub(crate) fn identity(name: &str, digit: char) -> IdentityStatus {
    let id = |last: char| format!("00000000-0000-4000-8000-0000000000{digit}{last}");
    IdentityStatus {
        name: name.to_owned(),
        id: format!("/subscriptions/s/resourceGroups/demo/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"),
        client_id: id('c'),
        principal_id: id('0'),
    }
}

/// A new system as it describes itself.
pub(crate) fn status() -> Status {
    Status {
        version: "0.1.0".to_owned(),
        pid: 4242,
        started: Timestamp::from_unix_secs(1_795_219_200),
        data: "/home/ada/.local/state/keyless".to_owned(),
        authority: "https://localhost:8443".to_owned(),
        control: "https://localhost:8443".to_owned(),
        gateway: "https://localhost:8443".to_owned(),
        gateway_http: None,
        metadata: "http://127.0.0.1:8440".to_owned(),
        operations: "http://127.0.0.1:8441".to_owned(),
        ca_file: "/home/ada/.local/state/keyless/tls/ca.pem".to_owned(),
        ca_bundle: "/home/ada/.local/state/keyless/tls/bundle.pem".to_owned(),
        tenant_id: "00000000-0000-4000-8000-00000000000a".to_owned(),
        tenant_domain: "keyless.local".to_owned(),
        subscription_id: "00000000-0000-4000-8000-00000000000b".to_owned(),
        accounts: vec![AccountStatus {
            name: "demo-ai".to_owned(),
            id: "/subscriptions/s/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai".to_owned(),
            endpoint: "https://localhost:8443/ai/demo-ai".to_owned(),
            deployments: vec!["chat".to_owned(), "embed".to_owned()],
        }],
        identities: vec![identity("demo-app", '1'), identity("operator", '2')],
        trusted_tenants: Vec::new(),
        upstreams: vec![UpstreamStatus {
            name: "default".to_owned(),
            url: "http://127.0.0.1:11434/v1".to_owned(),
            kind: "model server (Ollama)".to_owned(),
            models: vec!["llama3.2".to_owned()],
            trouble: None,
            down: false,
        }],
        deployments: Vec::new(),
        sign_in: None,
        host: "/subscriptions/s/resourceGroups/demo/providers/Microsoft.Compute/virtualMachines/this-host".to_owned(),
        revision: 12,
        health: "ok".to_owned(),
    }
}
