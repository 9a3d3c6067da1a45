//! Opens connections to model servers: one deadline for the name, TCP and TLS together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use keyless_web::{PeerOwner, owner_of};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::pieces::BoxError;

/// A connector that gives up in time, however far it got.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    deadline: Duration,
    trusts: Option<fn(PeerOwner) -> bool>,
}

/// Between two questions whose a connection is that its server has not accepted yet: at first, and at most. Each doubles the pause, so
/// that many calls of a server that accepts none do not keep the kernel busy.
const ASK_AGAIN: Duration = Duration::from_millis(2);
const ASK_SELDOM: Duration = Duration::from_millis(50);

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Connector {
    /// `trusts`: see [`crate::UpstreamConfig::trusts`].
    pub(super) fn new(tls: &ClientConfig, deadline: Duration, trusts: Option<fn(PeerOwner) -> bool>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let inner =
            HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1().enable_http2().wrap_connector(tcp);
        Self { inner, deadline, trusts }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (connecting, deadline, trusts) = (self.inner.call(to), self.deadline, self.trusts);
        let connecting = async move {
            let stream = connecting.await?;
            match trusts {
                Some(trusts) => check_owner(&stream, trusts).await.map(|()| stream),
                None => Ok(stream),
            }
        };
        Box::pin(async move {
            // A server that takes the connection and never shakes hands, and a name server that never answers, count alike.
            let late = |_| BoxError::from(format!("not connected within {} ms", deadline.as_millis()));
            tokio::time::timeout(deadline, connecting).await.map_err(late)?
        })
    }
}

/// SECURITY: before anything is sent. Until the server accepts the connection it is the kernel's and nobody's.
async fn check_owner(stream: &Stream, trusts: fn(PeerOwner) -> bool) -> Result<(), BoxError> {
    let MaybeHttpsStream::Http(tcp) = stream else {
        return Err("the owner of a model server is asked for on plain connections only".into());
    };
    let (server, own) = (tcp.inner().peer_addr()?, tcp.inner().local_addr()?);
    if trusts(known_owner(|| owner_of(server, own)).await) {
        return Ok(());
    }
    Err("another user of this machine has taken the port of the model server; to use that one, name it with --upstream".into())
}

/// Asks until there is an owner.
async fn known_owner(ask: impl Fn() -> PeerOwner) -> PeerOwner {
    let mut pause = ASK_AGAIN;
    loop {
        match ask() {
            PeerOwner::Unknown => tokio::time::sleep(pause).await,
            owner => return owner,
        }
        pause = (pause * 2).min(ASK_SELDOM);
    }
}

/// TLS towards servers that `roots` vouch for.
pub(super) fn tls(roots: &[CertificateDer<'static>]) -> Arc<ClientConfig> {
    let mut store = RootCertStore::empty();
    // The operating system's bundle may hold certificates that rustls cannot use; they then trust nothing, which is safe.
    let (_, unusable) = store.add_parsable_certificates(roots.iter().cloned());
    if unusable > 0 {
        tracing::warn!(unusable, "some root certificates cannot be used and are ignored");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(store)
        .with_no_client_auth();
    Arc::new(tls)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_accepts_nothing_is_asked_for_ever_more_seldom_d10() {
        let asked = Cell::new(0);
        let nobody = known_owner(|| {
            asked.set(asked.get() + 1);
            PeerOwner::Unknown
        });
        _ = tokio::time::timeout(Duration::from_secs(5), nobody).await.unwrap_err();
        assert!((100..=110).contains(&asked.get()), "{} questions in five seconds", asked.get());
        let owner = known_owner(|| {
            asked.set(asked.get() + 1);
            if asked.get() < 130 { PeerOwner::Unknown } else { PeerOwner::Uid(7) }
        });
        assert_eq!(owner.await, PeerOwner::Uid(7));
    }
}
