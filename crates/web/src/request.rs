//! Facts about a request that every plane needs.

use std::net::SocketAddr;

use http::HeaderMap;
use keyless_model::{Actor, OpContext};

use crate::{PeerOwner, Place, Platform, owner_of};

/// The other end of the connection, put into the request's extensions by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Our end of that connection, from the listener as well.
#[derive(Debug, Clone, Copy)]
pub struct Local(pub SocketAddr);

/// A client's own correlation id is echoed only when it is harmless in a header and a log.
const MAX_CORRELATION_BYTES: usize = 64;

/// Who sent the request from where, and the ids it is known by.
#[derive(Debug, Clone)]
pub struct RequestFacts {
    pub ctx: OpContext,
    /// `x-ms-client-request-id` or `client-request-id`, when present and harmless.
    pub correlation: Option<String>,
    /// Both ends of the connection, theirs first.
    ends: Option<(SocketAddr, SocketAddr)>,
}

impl RequestFacts {
    /// Begins an operation for this request; nobody is authenticated yet.
    #[must_use]
    pub fn of(platform: &Platform, headers: &HeaderMap, extensions: &http::Extensions) -> Self {
        let mut ctx = platform.begin(Actor::Anonymous);
        ctx.source = extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical());
        let correlation = ["x-ms-client-request-id", "client-request-id"]
            .into_iter()
            .find_map(|name| headers.get(name)?.to_str().ok())
            // SECURITY: no CR, LF or quotes: this text goes into headers and logs (case 86).
            .filter(|id| id.len() <= MAX_CORRELATION_BYTES && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)))
            .map(str::to_owned);
        ctx.client_request_id = correlation.as_deref().map(Into::into);
        let ends = extensions.get::<Peer>().zip(extensions.get::<Local>()).map(|(peer, local)| (peer.0, local.0));
        Self { ctx, correlation, ends }
    }

    /// Where the request comes from. Asks the kernel for the user when it comes from this machine: for the few requests that are counted.
    #[must_use]
    pub fn place(&self) -> Place {
        let local = self.ends.filter(|(peer, _)| peer.ip().to_canonical().is_loopback());
        match local.map(|(peer, local)| owner_of(peer, local)) {
            Some(PeerOwner::Uid(uid)) => Place::User(uid),
            _ => Place::of(self.ctx.source),
        }
    }
}
