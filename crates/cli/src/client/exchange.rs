//! One HTTP/1.1 request on one connection. It does not know what kind of connection.
//!
//! No pooled client: a command asks a few times, over TCP, TLS and a Unix socket alike, and its errors say which step failed.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};

/// The largest answer read, in bytes: far above every honest one.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// # Errors
    /// When the body is not the JSON expected.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("cannot connect to {to}")]
    Connect { to: String, source: std::io::Error },
    #[error("the TLS handshake with {to} failed")]
    Tls { to: String, source: std::io::Error },
    #[error("the connection failed")]
    Http(#[from] hyper::Error),
    #[error("the answer cannot be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    #[error("`{0}` is no usable address")]
    Address(String),
    #[error("the trust roots in {file} cannot be used")]
    Roots { file: String, source: std::io::Error },
}

/// Sends the request over the stream and reads the whole answer.
///
/// # Errors
/// When the connection fails first.
pub(super) async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Reply, TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = pin!(connection);
    let mut answer = pin!(async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(TransportError::Body)?.to_bytes();
        Ok(Reply { status: parts.status, headers: parts.headers, body })
    });
    // The connection only moves while it is polled; when it ends first, the answer it delivered is still there to be read.
    tokio::select! {
        biased;
        answer = &mut answer => return answer,
        _ended = &mut connection => {}
    }
    answer.await
}
