//! Facts about a request that every plane needs.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use keyless_model::{Actor, OpContext};

use crate::Platform;

/// The other end of the connection, put into the request's extensions by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Where requests come from, as far as one caller can be told from another: a household has a /64 of IPv6, whose last half is the
/// caller's to choose.
#[must_use]
pub fn place(source: Option<IpAddr>) -> Option<IpAddr> {
    source.map(|address| match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    })
}

/// A client's own correlation id is echoed only when it is harmless in a header and a log.
const MAX_CORRELATION_BYTES: usize = 64;

/// Who sent the request from where, and the ids it is known by.
#[derive(Debug, Clone)]
pub struct RequestFacts {
    pub ctx: OpContext,
    /// `x-ms-client-request-id` or `client-request-id`, when present and harmless.
    pub correlation: Option<String>,
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
        Self { ctx, correlation }
    }
}
