//! Connections to model servers: one pool per upstream and thread.
//!
//! A connection's task lives on the runtime that opened it. With one runtime per core, a pool that spans threads would hand out
//! connections that another core drives; so each thread keeps its own.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::config::Timeouts;
use crate::prompt::Outgoing;

/// Idle connections kept per thread and upstream: as many as there are likely to be concurrent calls.
const MAX_IDLE: usize = 512;

type Pool = Client<HttpsConnector<HttpConnector>, Outgoing>;

/// How to connect to one upstream. Each thread that does makes its own pool from it.
#[derive(Debug)]
pub(super) struct Connecting {
    tls: Arc<ClientConfig>,
    timeouts: Timeouts,
}

thread_local! {
    static POOLS: RefCell<Vec<(Weak<Connecting>, Pool)>> = const { RefCell::new(Vec::new()) };
}

impl Connecting {
    pub(super) fn new(roots: &[CertificateDer<'static>], timeouts: Timeouts) -> Self {
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
        Self { tls: Arc::new(tls), timeouts }
    }

    /// Sends a request over this thread's pool. Redirects are answers like any other.
    pub(super) fn request(self: &Arc<Self>, request: http::Request<Outgoing>) -> ResponseFuture {
        POOLS.with_borrow_mut(|pools| {
            if let Some((_, pool)) = pools.iter().find(|(owner, _)| std::ptr::eq(owner.as_ptr(), Arc::as_ptr(self))) {
                return pool.request(request);
            }
            // An upstream that was replaced takes its connections along.
            pools.retain(|(owner, _)| owner.strong_count() > 0);
            let pool = self.pool();
            let response = pool.request(request);
            pools.push((Arc::downgrade(self), pool));
            response
        })
    }

    fn pool(&self) -> Pool {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(self.timeouts.connect));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(ClientConfig::clone(&self.tls))
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(MAX_IDLE)
            .pool_idle_timeout(self.timeouts.pool_idle)
            .pool_timer(TokioTimer::new())
            .build(connector)
    }
}
