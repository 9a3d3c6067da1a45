//! One HTTP connection, from its first byte to its last: how large a request's head may be, and how long a client may say nothing.
//!
//! HTTP/2 has no time limits of its own: a client that never asks, or never ends a head, would hold its connection for ever, and
//! answers to keep-alive pings cost it nothing. So the streams are counted, and a connection without any is shown out.

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use keyless_config::Timeouts;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::linger::Lingering;
use crate::stop;

/// Larger request heads are answered with 431 (case 81).
const MAX_HEAD_BYTES: usize = 64 * 1024;
pub(crate) const MAX_HEADERS: usize = 100;
/// Calls at once on one HTTP/2 connection: as many as RFC 9113 wants a server to allow; whoever has more opens a second connection.
const MAX_STREAMS: u32 = 100;
/// Streams that a client opened and reset before they were looked at; one more ends the connection ("rapid reset").
const MAX_RESET_STREAMS: usize = 20;
/// Of an answer that a client does not read, so much is kept for each stream.
const MAX_SEND_BYTES: usize = 64 * 1024;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For a request's head, and for its first request at all: longer is a slow loris.
    pub(crate) head: Duration,
    /// Between two requests on an HTTP/2 connection. HTTP/1 clients have `head`.
    pub(crate) idle: Duration,
    /// To leave, once told to.
    pub(crate) parting: Duration,
}

impl Patience {
    pub(crate) const fn of(timeouts: &Timeouts) -> Self {
        Self { head: timeouts.head.duration(), idle: timeouts.idle_connection.duration(), parting: Duration::from_secs(5) }
    }
}

/// Serves HTTP/1.1 until the client leaves, is too slow, or the system stops and the running call has its answer.
pub(crate) async fn http1<S, F, B>(
    stream: S,
    answer: impl Fn(Request<Incoming>) -> F,
    patience: Patience,
    stop: watch::Receiver<bool>,
) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Response<B>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Lingering::new(stream)), service);
    let streams = Arc::new(Streams::new());
    until_done(pin!(connection), |connection| connection.graceful_shutdown(), pending(), &streams, patience, stop).await
}

/// The same for HTTP/2, where each call is a task of its own.
pub(crate) async fn http2<S, F, B>(
    stream: S,
    answer: impl Fn(Request<Incoming>) -> F,
    patience: Patience,
    stop: watch::Receiver<bool>,
) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let streams = Arc::new(Streams::new());
    let service = service_fn(|request| {
        let open = Streams::open(&streams);
        let answer = answer(request);
        async move {
            // The stream is open until its answer's body was sent or dropped.
            Ok::<_, Infallible>(answer.await.map(|body| {
                body.map_err(move |error| {
                    let _until_dropped = &open;
                    error
                })
            }))
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(MAX_RESET_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .max_send_buf_size(MAX_SEND_BYTES)
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .serve_connection(TokioIo::new(stream), service);
    let idle = streams.idle(patience);
    until_done(pin!(connection), |connection| connection.graceful_shutdown(), idle, &streams, patience, stop).await
}

/// Runs a connection to its end, and shows it out when it is idle or the system stops.
async fn until_done<C>(
    mut connection: Pin<&mut C>,
    show_out: impl Fn(Pin<&mut C>),
    idle: impl Future<Output = ()>,
    streams: &Streams,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut idle = pin!(idle);
    let (mut told, mut shown_out) = (false, None);
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = stop::told(&mut stop), if !told => {
                told = true;
                show_out(connection.as_mut());
            }
            () = idle.as_mut(), if shown_out.is_none() => {
                show_out(connection.as_mut());
                shown_out = Some(Instant::now() + patience.parting);
            }
            // A client that does not answer the farewell - or cannot, in the middle of an endless head - is cut off.
            () = sleep_until(shown_out.unwrap_or_else(Instant::now)), if shown_out.is_some() => {
                if streams.none() {
                    return Ok(());
                }
                shown_out = Some(Instant::now() + patience.parting);
            }
        }
    }
}

/// The open streams of one connection.
#[derive(Debug)]
struct Streams {
    open: AtomicUsize,
    /// Whether there was one, and since when there is none.
    since: Mutex<(bool, Instant)>,
}

/// One of them.
#[derive(Debug)]
struct Open(Arc<Streams>);

impl Drop for Open {
    fn drop(&mut self) {
        *self.0.since.lock().expect("no holder of this lock panics") = (true, Instant::now());
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Streams {
    fn new() -> Self {
        Self { open: AtomicUsize::new(0), since: Mutex::new((false, Instant::now())) }
    }

    fn open(streams: &Arc<Self>) -> Open {
        streams.open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(streams))
    }

    fn none(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0
    }

    /// Ends when there was no stream for as long as is borne with.
    async fn idle(&self, patience: Patience) {
        let mut wait = patience.head;
        loop {
            sleep(wait).await;
            let (asked, since) = *self.since.lock().expect("no holder of this lock panics");
            let bound = if asked { patience.idle } else { patience.head };
            // While a stream is open nothing is due; look again when something could be.
            let idle_for = if self.none() { since.elapsed() } else { Duration::ZERO };
            if idle_for >= bound {
                return;
            }
            wait = bound - idle_for;
        }
    }
}

#[cfg(test)]
mod tests;
