//! A world to test in: platform, gateway, model server, client.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use keyless_gateway::{Config, Gateway, UpstreamConfig};
use keyless_model::entity::{Account, Deployment};
use keyless_testkit::TestPlatform;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) mod model_server;

pub(crate) use model_server::{ModelServer, Script};

pub(crate) const AUDIENCE: &str = "https://cognitiveservices.azure.com";
pub(crate) const CHAT: &str = "/ai/demo-ai/openai/deployments/chat/chat/completions?api-version=2024-10-21";
pub(crate) const CHAT_V1: &str = "/ai/demo-ai/openai/v1/chat/completions";
pub(crate) const EMBED: &str = "/ai/demo-ai/openai/deployments/embed/embeddings?api-version=2024-10-21";
pub(crate) const HELLO: &str = r#"{"messages":[{"role":"user","content":"hello"}],"model":"chat"}"#;
pub(crate) const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}"#;

pub(crate) struct World {
    pub(crate) test: TestPlatform,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) server: ModelServer,
    pub(crate) address: SocketAddr,
    tasks: JoinSet<()>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With the gateway configured further.
    pub(crate) async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        Self::on(TestPlatform::new().await, configure).await
    }

    /// On a platform that was made otherwise.
    pub(crate) async fn on(test: TestPlatform, configure: impl FnOnce(&mut Config)) -> Self {
        let server = ModelServer::start().await;
        let mut config = Config {
            default_upstream: Some("default".to_owned()),
            upstreams: vec![UpstreamConfig::open_ai("default", server.base_url())],
            ..Config::default()
        };
        configure(&mut config);
        let gateway = Gateway::new(Arc::clone(&test.platform), config).unwrap();
        let (address, tasks) = listen(Arc::clone(&gateway)).await;
        Self { test, gateway, server, address, tasks }
    }

    /// A token of the fixture's `demo-app`, which is OpenAI User of the account.
    pub(crate) fn token(&self) -> String {
        self.test.token(self.test.demo_app, AUDIENCE)
    }

    pub(crate) async fn change_account(&self, change: impl FnOnce(&mut Account)) {
        let mut account = Account::clone(self.test.snapshot().account(&self.test.account).unwrap());
        change(&mut account);
        account.version += 1;
        self.test.put(account).await;
    }

    pub(crate) async fn change_deployment(&self, name: &str, change: impl FnOnce(&mut Deployment)) {
        let mut deployment = Deployment::clone(self.test.snapshot().deployment(&self.test.account, name).unwrap());
        change(&mut deployment);
        self.test.put(deployment).await;
    }

    /// A connection of its own.
    pub(crate) async fn connect(&mut self) -> client::SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (sender, connection) = client::handshake(TokioIo::new(stream)).await.unwrap();
        self.tasks.spawn(async move { _ = connection.await });
        sender
    }

    /// A listener that speaks HTTP/2 without TLS.
    pub(crate) async fn listen_http2(&mut self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gateway = Arc::clone(&self.gateway);
        self.tasks.spawn(async move {
            let (stream, peer) = listener.accept().await.unwrap();
            let service = service_fn(move |request| {
                let gateway = Arc::clone(&gateway);
                async move { Ok::<_, std::convert::Infallible>(gateway.handle(request, peer).await) }
            });
            _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
        address
    }

    /// Runs something for as long as the world is there.
    pub(crate) fn keep(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// The head of an answer, with its body still to be read.
    pub(crate) async fn open(&mut self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        self.connect().await.send_request(request).await.unwrap()
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Answer {
        Answer::of(self.open(request).await).await.unwrap()
    }

    /// A chat completion of `demo-app`.
    pub(crate) async fn chat(&mut self) -> Answer {
        let request = self.post(CHAT, HELLO);
        self.send(request).await
    }

    /// A request of `demo-app`.
    pub(crate) fn post(&self, path: &str, body: &str) -> Request<Full<Bytes>> {
        post(path, &[("authorization", &format!("Bearer {}", self.token()))], body)
    }

    pub(crate) fn get(&self, path: &str) -> Request<Full<Bytes>> {
        let mut request = self.post(path, "");
        *request.method_mut() = Method::GET;
        request
    }
}

pub(crate) fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::post(path).header("host", "localhost").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

/// A listener of the gateway, on the runtime of the caller, for as long as the tasks are kept.
pub(crate) async fn listen(gateway: Arc<Gateway>) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, gateway));
    (address, tasks)
}

async fn serve(listener: TcpListener, gateway: Arc<Gateway>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, peer)) = listener.accept().await {
        let gateway = Arc::clone(&gateway);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let gateway = Arc::clone(&gateway);
                async move { Ok::<_, std::convert::Infallible>(gateway.handle(request, peer).await) }
            });
            // A client that goes away is part of the tests.
            _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// # Errors
    /// When the answer breaks off.
    pub(crate) async fn of(response: Response<Incoming>) -> Result<Self, hyper::Error> {
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Self { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and body in one line.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.body)
    }
}
