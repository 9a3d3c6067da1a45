//! One worker thread: a single-threaded runtime that accepts connections and serves its share of all.
//!
//! A runtime per core keeps a connection's work on one core and the tail latency flat; nothing is stolen between threads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::crew::{Arrival, Crew};
use crate::listen::Service;
use crate::progress::{Progress, WRITE_PROGRESS};
use crate::stop;

/// A client that needs longer for its handshake or its request head is cut off (slow loris).
const HANDSHAKE: Duration = Duration::from_secs(10);
const REQUEST_HEAD: Duration = Duration::from_secs(10);
/// How long running calls may go on after the signal to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// Connections per worker; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 8_192;
/// Larger request heads are answered with 431 (case 81).
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;
const MAX_STREAMS: u32 = 250;

/// A worker before its start: its place in the crew, and what it listens on.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) number: usize,
    pub(crate) crew: Crew,
    pub(crate) arrivals: UnboundedReceiver<Arrival>,
    pub(crate) listeners: Vec<(Service, std::net::TcpListener)>,
}

impl Worker {
    /// Starts its thread. It ends when `stop` becomes true and its connections have drained.
    pub(crate) fn start(self, app: Arc<App>, stop: watch::Receiver<bool>) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name(format!("worker-{}", self.number)).spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime needs only memory and a descriptor");
            runtime.block_on(self.run(app, stop));
        })
    }

    async fn run(self, app: Arc<App>, stop: watch::Receiver<bool>) {
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut accepting = JoinSet::new();
        for (service, listener) in self.listeners {
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    let (crew, permits, stop) = (self.crew.clone(), Arc::clone(&permits), stop.clone());
                    accepting.spawn(accept(self.number, crew, service, listener, permits, stop));
                }
                Err(error) => tracing::error!(%error, ?service, "a listener could not be served"),
            }
        }
        serve_all(app, self.arrivals, stop).await;
        while accepting.join_next().await.is_some() {}
    }
}

/// Accepts connections until the system stops, for whichever worker has the fewest.
async fn accept(own: usize, crew: Crew, service: Service, listener: TcpListener, permits: Arc<Semaphore>, mut stop: watch::Receiver<bool>) {
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let accepted = tokio::select! {
            biased;
            () = stop::told(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        // The worker that serves it registers it with a runtime of its own.
        match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
            Ok((stream, peer)) => crew.hand(own, service, stream, peer, permit),
            Err(error) => {
                // Out of descriptors: accepting again at once would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves this worker's connections until the system stops.
async fn serve_all(app: Arc<App>, mut arrivals: UnboundedReceiver<Arrival>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let graceful = GracefulShutdown::new();
    loop {
        let arrival = tokio::select! {
            biased;
            () = stop::told(&mut stop) => break,
            arrival = arrivals.recv() => arrival,
            // Collect finished connections, so that the set does not grow for ever.
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Some(Arrival { service, stream, peer, seat }) = arrival else { break };
        let (app, watcher) = (Arc::clone(&app), graceful.watcher());
        connections.spawn(async move {
            match TcpStream::from_std(stream) {
                Ok(stream) => serve(app, service, stream, peer, watcher).await,
                Err(error) => tracing::warn!(%error, "a connection could not be served"),
            }
            drop(seat);
        });
    }
    drop(arrivals);
    // Idle connections end now, busy ones after their answer; whoever needs longer than the drain is cut off.
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were cut off at the end of the drain");
    }
}

async fn serve(app: Arc<App>, service: Service, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
    _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return };
    let stream = Progress::new(stream, WRITE_PROGRESS);
    if service != Service::Planes {
        return http1(app, service, TokioIo::new(stream), peer, local, watcher).await;
    }
    let acceptor = TlsAcceptor::from(Arc::clone(app.tls()));
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => http2(app, TokioIo::new(stream), peer, local, watcher).await,
        Ok(Ok(stream)) => http1(app, service, TokioIo::new(stream), peer, local, watcher).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "the TLS handshake failed; does the client trust the local CA?"),
        Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
    }
}

async fn http1<S>(app: Arc<App>, service: Service, stream: TokioIo<S>, peer: SocketAddr, local: SocketAddr, watcher: Watcher)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
{
    let caller = app.connection(service, peer, local);
    let answer = service_fn(|request| app.answer(service, request, (peer, local), caller.as_ref()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(stream, answer);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

async fn http2<S>(app: Arc<App>, stream: TokioIo<S>, peer: SocketAddr, local: SocketAddr, watcher: Watcher)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
{
    // HTTP/2 runs each call as a task of its own, so the service owns what it needs.
    let answer = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { app.answer(Service::Planes, request, (peer, local), None).await }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .serve_connection(stream, answer);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}
