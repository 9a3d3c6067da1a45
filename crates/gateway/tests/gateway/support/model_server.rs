//! A model server that does what a test tells it, and remembers what it was asked.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::ANSWER;

/// What it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// How it answers.
pub(crate) enum Script {
    Whole {
        status: u16,
        content_type: &'static str,
        headers: Vec<(&'static str, &'static str)>,
        body: String,
    },
    /// Pieces as the test sends them; the stream ends when the sender is dropped, and breaks when it sends an error.
    Pieces {
        content_type: &'static str,
        pieces: mpsc::Receiver<Result<Bytes, &'static str>>,
    },
    /// Never.
    Silence,
    /// Hangs up.
    HangUp,
}

impl Script {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Whole { status, content_type: "application/json", headers: Vec::new(), body: body.to_owned() }
    }

    /// An event stream and the end to feed it by. Only `room` pieces wait.
    pub(crate) fn stream(room: usize) -> (mpsc::Sender<Result<Bytes, &'static str>>, Self) {
        let (sender, pieces) = mpsc::channel(room);
        (sender, Self::Pieces { content_type: "text/event-stream", pieces })
    }
}

#[derive(Default)]
struct State {
    scripts: VecDeque<Script>,
    seen: Vec<Seen>,
}

pub(crate) struct ModelServer {
    port: u16,
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

impl ModelServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&state)));
        Self { port, state, _tasks: tasks }
    }

    pub(crate) fn base_url(&self) -> http::Uri {
        format!("http://127.0.0.1:{}/v1", self.port).parse().unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The next request that has no script yet gets this one; without scripts the answer is [`ANSWER`].
    pub(crate) fn next(&self, script: Script) {
        self.state.lock().unwrap().scripts.push_back(script);
    }

    /// Everything it was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().last().cloned().expect("the model server should have been asked")
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&state)));
            _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Response<Pieces>, &'static str> {
    let (head, body) = request.into_parts();
    // A request that breaks off is not one.
    let body = body.collect().await.map_err(|_| "broken request")?.to_bytes();
    let seen = Seen { path: head.uri.path().to_owned(), headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() };
    let script = {
        let mut state = state.lock().unwrap();
        state.seen.push(seen);
        state.scripts.pop_front()
    };
    match script.unwrap_or_else(|| Script::json(200, ANSWER)) {
        Script::Whole { status, content_type, headers, body } => {
            let mut response = Response::builder().status(status).header("content-type", content_type).header("content-length", body.len());
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Pieces::Whole(Some(body.into()))).unwrap())
        }
        Script::Pieces { content_type, pieces } => {
            Ok(Response::builder().header("content-type", content_type).body(Pieces::Fed(pieces)).unwrap())
        }
        Script::Silence => std::future::pending().await,
        Script::HangUp => Err("hang up"),
    }
}

pub(crate) enum Pieces {
    Whole(Option<Bytes>),
    Fed(mpsc::Receiver<Result<Bytes, &'static str>>),
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Fed(pieces) => pieces.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }
}
