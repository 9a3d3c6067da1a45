//! Finds a model server that already answers on this machine. It asks loopback addresses only, and sends nothing but a `GET`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

/// How long a server has to answer.
const DEADLINE: Duration = Duration::from_millis(300);
/// The longest list of models that is read.
const MAX_LIST_BYTES: usize = 1024 * 1024;
/// The most models that are kept of it.
const MAX_MODELS: usize = 1000;

/// A kind of server and the port that it listens on unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    pub name: &'static str,
    pub port: u16,
}

/// The usual servers, the likeliest first.
pub const CANDIDATES: [Candidate; 4] = [
    Candidate { name: "Ollama", port: 11434 },
    Candidate { name: "llama.cpp", port: 8080 },
    Candidate { name: "vLLM", port: 8000 },
    Candidate { name: "LM Studio", port: 1234 },
];

/// A model server that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What usually listens on that port. Another program may; it answered as a model server all the same.
    pub name: &'static str,
    /// For an upstream: up to and including `/v1`.
    pub base_url: Uri,
    /// At least one.
    pub models: Vec<String>,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
}

/// The usual servers that answer on this machine.
pub async fn local() -> Vec<Found> {
    among(&CANDIDATES).await
}

/// Those of `candidates` that answer on 127.0.0.1, in the order given. Takes 300 ms at most.
pub async fn among(candidates: &[Candidate]) -> Vec<Found> {
    let mut asked = tokio::task::JoinSet::new();
    for (index, candidate) in candidates.iter().copied().enumerate() {
        asked.spawn(async move { (index, tokio::time::timeout(DEADLINE, ask(candidate)).await.ok().flatten()) });
    }
    let mut found: Vec<(usize, Found)> = asked.join_all().await.into_iter().filter_map(|(index, found)| Some((index, found?))).collect();
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, found)| found).collect()
}

async fn ask(candidate: Candidate) -> Option<Found> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, candidate.port));
    let (mut sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(address).await.ok()?)).await.ok()?;
    let exchange = async move {
        let request = Request::get("/v1/models").header(HOST, address.to_string()).header(ACCEPT, "application/json");
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).ok()?).await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let body = Limited::new(answer.into_body(), MAX_LIST_BYTES).collect().await.ok()?.to_bytes();
        let list: List = serde_json::from_slice(&body).ok()?;
        Some(list.data.into_iter().map(|item| item.id).filter(|id| is_name(id)).take(MAX_MODELS).collect::<Vec<_>>())
    };
    tokio::pin!(connection);
    let models = tokio::select! {
        models = exchange => models?,
        // The server hung up without an answer.
        _ = &mut connection => return None,
    };
    if models.is_empty() {
        return None;
    }
    Some(Found { name: candidate.name, base_url: format!("http://{address}/v1").parse().ok()?, models })
}

/// A name that can stand in a log and in a configuration file.
fn is_name(id: &str) -> bool {
    !id.is_empty() && id.len() <= 256 && id.chars().all(|c| !c.is_control())
}
