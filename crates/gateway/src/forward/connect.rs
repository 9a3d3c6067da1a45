//! Opens connections to model servers: one deadline for the name, TCP and TLS together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::body::BoxError;

/// A connector that gives up in time, however far it got.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    deadline: Duration,
}

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Connector {
    pub(super) fn new(tls: &ClientConfig, deadline: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let inner =
            HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1().enable_http2().wrap_connector(tcp);
        Self { inner, deadline }
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
        let (connecting, deadline) = (self.inner.call(to), self.deadline);
        Box::pin(async move {
            // A server that takes the connection and never shakes hands, and a name server that never answers, count alike.
            let late = |_| BoxError::from(format!("not connected within {} ms", deadline.as_millis()));
            tokio::time::timeout(deadline, connecting).await.map_err(late)?
        })
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
