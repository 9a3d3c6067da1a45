//! One worker thread: a single-threaded runtime that accepts connections and serves its share of all.
//!
//! A runtime per core keeps a connection's work on one core and the tail latency flat; nothing is stolen between threads.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use keyless_metadata::Connection;
use keyless_web::owner_of;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::capacity::Capacity;
use crate::connection::{Patience, http1, http2};
use crate::crew::{Arrival, Crew};
use crate::listen::Service;
use crate::progress::Progress;
use crate::stop;

/// Threads of a worker for work that blocks, such as looking up a name. What is costly has a bound of its own before it gets here.
const MAX_BLOCKING_THREADS: usize = 16;

/// A worker before its start: its place in the crew, and what it listens on.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) number: usize,
    pub(crate) crew: Crew,
    pub(crate) capacity: Arc<Capacity>,
    pub(crate) arrivals: UnboundedReceiver<Arrival>,
    pub(crate) listeners: Vec<(Service, std::net::TcpListener)>,
    /// How long running calls may go on after the signal to stop.
    pub(crate) drain: Duration,
}

impl Worker {
    /// Starts its thread. It ends when `stop` becomes true and its connections have drained.
    pub(crate) fn start(self, app: Arc<App>, stop: watch::Receiver<bool>) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name(format!("worker-{}", self.number)).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(MAX_BLOCKING_THREADS)
                .build()
                .expect("a runtime needs only memory and a descriptor");
            runtime.block_on(self.run(app, stop));
        })
    }

    async fn run(self, app: Arc<App>, stop: watch::Receiver<bool>) {
        let mut accepting = JoinSet::new();
        for (service, listener) in self.listeners {
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    let (crew, capacity, stop) = (self.crew.clone(), Arc::clone(&self.capacity), stop.clone());
                    accepting.spawn(accept(self.number, crew, service, listener, capacity, stop));
                }
                Err(error) => tracing::error!(%error, ?service, "a listener could not be served"),
            }
        }
        serve_all(app, self.arrivals, self.drain, stop).await;
        while accepting.join_next().await.is_some() {}
    }
}

/// Accepts connections until the system stops, for whichever worker has the fewest.
async fn accept(own: usize, crew: Crew, service: Service, listener: TcpListener, capacity: Arc<Capacity>, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop::told(&mut stop) => break,
            permit = capacity.free(service) => match permit {
                Some(permit) => tokio::select! {
                    biased;
                    () = stop::told(&mut stop) => break,
                    accepted = listener.accept() => accepted.map(|accepted| (accepted, permit)),
                },
                None => break,
            },
        };
        // The worker that serves it registers it with a runtime of its own.
        let taken = accepted.and_then(|((stream, peer), permit)| {
            let connection = Connection { peer, owner: owner_of(peer, stream.local_addr()?) };
            Ok((stream.into_std()?, connection, capacity.place(service, permit, peer.ip(), connection.owner)))
        });
        match taken {
            Ok((stream, connection, Some(place))) => crew.hand(own, service, stream, connection, place),
            Ok((_, connection, None)) => tracing::debug!(?connection, ?service, "its source has too many connections already; closed"),
            Err(error) => {
                // Out of descriptors: accepting again at once would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves this worker's connections until the system stops.
async fn serve_all(app: Arc<App>, mut arrivals: UnboundedReceiver<Arrival>, drain: Duration, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let arrival = tokio::select! {
            biased;
            () = stop::told(&mut stop) => break,
            arrival = arrivals.recv() => arrival,
            // Collect finished connections, so that the set does not grow for ever.
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Some(Arrival { service, stream, connection, seat }) = arrival else { break };
        let (app, stop) = (Arc::clone(&app), stop.clone());
        connections.spawn(async move {
            match TcpStream::from_std(stream) {
                Ok(stream) => serve(app, service, stream, connection, stop).await,
                Err(error) => tracing::warn!(%error, "a connection could not be served"),
            }
            drop(seat);
        });
    }
    drop(arrivals);
    // Idle connections end now, busy ones after their answer; whoever needs longer than the drain is cut off.
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(drain, all_ended).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were cut off at the end of the drain");
    }
}

async fn serve(app: Arc<App>, service: Service, stream: TcpStream, connection: Connection, stop: watch::Receiver<bool>) {
    _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return };
    let stream = Progress::new(stream, app.timeouts().unread_connection.duration());
    let patience = Patience::of(app.timeouts());
    let handshake = app.timeouts().handshake.duration();
    let tls = Arc::clone(app.tls());
    // HTTP/2 runs each call as a task of its own, so an answer owns what it needs.
    let stopped = stop.clone();
    let answer = move |request| {
        let (app, stop) = (Arc::clone(&app), stopped.clone());
        async move { app.answer(service, request, connection, local, stop).await }
    };
    let peer = connection.peer;
    let ended = if service == Service::Planes {
        match timeout(handshake, TlsAcceptor::from(tls).accept(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => http2(stream, answer, patience, stop).await,
            Ok(Ok(stream)) => http1(stream, answer, patience, stop).await,
            Ok(Err(error)) => return tracing::debug!(%peer, %error, "the TLS handshake failed; does the client trust the local CA?"),
            Err(_) => return tracing::debug!(%peer, "the TLS handshake took too long"),
        }
    } else {
        http1(stream, answer, patience, stop).await
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}
