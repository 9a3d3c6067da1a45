//! Asks model servers which models they have: the usual ones on this machine, or one that was named. Nothing is sent but a `GET`.
//!
//! On a connection in hand, not by a client that keeps them: who is at the other end is asked of the system while it is open.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

pub use crate::forward::{ListFault, Lister};

/// How long a server on this machine has to answer.
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
    /// What `trusts` said of it.
    pub trusted: bool,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
}

/// Those of `candidates` that answer on 127.0.0.1, in the order given. Takes 300 ms at most. `trusts` is asked about each connection
/// while it is open, with the server's end and ours: on a machine of several people anyone can be the first to listen on a usual port.
pub async fn among(candidates: &[Candidate], trusts: fn(SocketAddr, SocketAddr) -> bool) -> Vec<Found> {
    let mut asked = tokio::task::JoinSet::new();
    for (index, candidate) in candidates.iter().copied().enumerate() {
        asked.spawn(async move { (index, tokio::time::timeout(DEADLINE, ask(candidate, trusts)).await.ok().flatten()) });
    }
    let mut found: Vec<(usize, Found)> = asked.join_all().await.into_iter().filter_map(|(index, found)| Some((index, found?))).collect();
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, found)| found).collect()
}

async fn ask(candidate: Candidate, trusts: fn(SocketAddr, SocketAddr) -> bool) -> Option<Found> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, candidate.port));
    let stream = TcpStream::connect(address).await.ok()?;
    let own = stream.local_addr().ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let exchange = async move {
        let request = Request::get("/v1/models").header(HOST, address.to_string()).header(ACCEPT, "application/json");
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).ok()?).await.ok()?;
        // Only once it has answered does the connection belong to a process; before that the kernel holds it.
        let trusted = trusts(address, own);
        if answer.status() != StatusCode::OK {
            return None;
        }
        Some((models_in(answer.into_body()).await?, trusted))
    };
    tokio::pin!(exchange);
    let (models, trusted) = tokio::select! {
        answered = &mut exchange => answered,
        // A connection that ended may have brought the whole answer, and whoever waits for one that did not come hears of it.
        _ = connection => exchange.await,
    }?;
    if models.is_empty() {
        return None;
    }
    Some(Found { name: candidate.name, base_url: format!("http://{address}/v1").parse().ok()?, models, trusted })
}

/// The models that the body of an answer lists; none when it is no such list.
pub(crate) async fn models_in(body: Incoming) -> Option<Vec<String>> {
    let body = Limited::new(body, MAX_LIST_BYTES).collect().await.ok()?.to_bytes();
    let list: List = serde_json::from_slice(&body).ok()?;
    Some(list.data.into_iter().map(|item| item.id).filter(|id| is_name(id)).take(MAX_MODELS).collect())
}

/// A name that can stand in a log and in a configuration file.
fn is_name(id: &str) -> bool {
    !id.is_empty() && id.len() <= 256 && id.chars().all(|c| !c.is_control())
}

/// The model of a server that answers in place of one it does not have: one that embeds, or one that writes. None when the server
/// names no models.
#[must_use]
pub fn stand_in(models: &[String], embeds: bool) -> Option<&String> {
    /// Parts of the names of models that do not answer a chat.
    const OTHERS: [&str; 11] =
        ["embed", "whisper", "tts", "dall-e", "image", "moderation", "rerank", "transcribe", "realtime", "sora", "audio"];
    if embeds {
        return models.iter().find(|model| is_embedding(model)).or(models.first());
    }
    let has = |name: &str, part: &str| name.to_ascii_lowercase().contains(part);
    models.iter().find(|model| !OTHERS.iter().any(|other| has(model, other))).or(models.first())
}

/// Whether a model or a deployment of this name embeds.
#[must_use]
pub fn is_embedding(name: &str) -> bool {
    name.to_ascii_lowercase().contains("embed")
}

/// Whether a server that lists `models` answers to `name`. A name without a tag is the one tagged `latest` (Ollama).
#[must_use]
pub fn knows(models: &[String], name: &str) -> bool {
    models.iter().any(|model| model == name || model.strip_suffix(":latest") == Some(name))
}
