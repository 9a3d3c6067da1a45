//! Connections to model servers: one pool per upstream and thread.
//!
//! A connection's task lives on the runtime that opened it. With one runtime per core, a pool that spans threads would hand out
//! connections that another core drives; so each thread keeps its own.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use keyless_web::PeerOwner;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use super::connect::{Connector, tls};
use crate::config::Timeouts;
use crate::prompt::Outgoing;

/// Idle connections kept per thread and upstream: as many as there are likely to be concurrent calls.
const MAX_IDLE: usize = 512;

type Pool = Client<Connector, Outgoing>;

/// How to connect to one upstream. Each thread that does makes its own pool from it.
#[derive(Debug)]
pub(super) struct Connecting {
    tls: Arc<ClientConfig>,
    timeouts: Timeouts,
    trusts: Option<fn(PeerOwner) -> bool>,
}

thread_local! {
    static POOLS: RefCell<Vec<(Weak<Connecting>, Pool)>> = const { RefCell::new(Vec::new()) };
}

impl Connecting {
    pub(super) fn new(roots: &[CertificateDer<'static>], timeouts: Timeouts, trusts: Option<fn(PeerOwner) -> bool>) -> Self {
        Self { tls: tls(roots), timeouts, trusts }
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
        Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(MAX_IDLE)
            .pool_idle_timeout(self.timeouts.pool_idle)
            .pool_timer(TokioTimer::new())
            .build(Connector::new(&self.tls, self.timeouts.connect, self.trusts))
    }
}
