//! What a call costs in the gateway itself: authenticated with a known token, decided, metered and audited in memory, answered by
//! the built-in responder. Client and gateway share one thread and an in-memory pipe, so subtract the bare server beside it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use keyless_gateway::{Config, Gateway, UpstreamConfig};
use keyless_testkit::TestPlatform;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

const PATH: &str = "/ai/demo-ai/openai/deployments/chat/chat/completions?api-version=2024-10-21";
const BODY: &str = r#"{"messages":[{"role":"user","content":"hello"}],"model":"chat-model","max_tokens":1}"#;

async fn call(sender: &mut SendRequest<Full<Bytes>>, token: &str) -> usize {
    let request = Request::post(PATH).header("host", "localhost").header("authorization", token);
    let response = sender.send_request(request.body(Full::from(BODY)).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body().collect().await.unwrap().to_bytes().len()
}

/// Both ends of a pipe: the gateway's, or those of a server that reads the body and answers at once.
async fn pipe(tasks: &mut JoinSet<()>, gateway: Option<Arc<Gateway>>) -> SendRequest<Full<Bytes>> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tasks.spawn(async move {
        let peer = ([127, 0, 0, 1], 1).into();
        match gateway {
            Some(gateway) => {
                let service = service_fn(|request| async { Ok::<_, Infallible>(gateway.handle(request, peer).await) });
                _ = http1::Builder::new().serve_connection(TokioIo::new(far), service).await;
            }
            None => {
                let service = service_fn(|request: Request<Incoming>| async {
                    let read = request.into_body().collect().await.unwrap().to_bytes();
                    Ok::<_, Infallible>(Response::new(Full::new(read)))
                });
                _ = http1::Builder::new().serve_connection(TokioIo::new(far), service).await;
            }
        }
    });
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
    tasks.spawn(async move { _ = connection.await });
    sender
}

fn calls(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut tasks = JoinSet::new();
    let (test, mut bare, mut through) = runtime.block_on(async {
        let test = TestPlatform::new().await;
        let config = Config { default_upstream: Some("r".into()), upstreams: vec![UpstreamConfig::built_in("r")], ..Config::default() };
        let gateway = Gateway::new(Arc::clone(&test.platform), config).unwrap();
        let bare = pipe(&mut tasks, None).await;
        let through = pipe(&mut tasks, Some(gateway)).await;
        (test, bare, through)
    });
    let token = format!("Bearer {}", test.token(test.demo_app, "https://cognitiveservices.azure.com"));
    criterion.bench_function("bare server", |bencher| bencher.iter(|| runtime.block_on(call(&mut bare, &token))));
    criterion.bench_function("gateway", |bencher| {
        bencher.iter(|| {
            let read = runtime.block_on(call(&mut through, &token));
            // The memory audit would grow for ever.
            if test.audit.take().is_empty() { 0 } else { read }
        });
    });
}

criterion_group!(benches, calls);
criterion_main!(benches);
