//! Who opened a connection: the address, and the user who owns the other end where the system can tell.

use std::net::SocketAddr;

use aws_lc_rs::digest::SHA256;
use keyless_web::PeerOwner;

/// One connection to the metadata endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    pub peer: SocketAddr,
    pub owner: PeerOwner,
}

impl Connection {
    /// Whether the connection came from this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }

    /// The peer's uid, where known.
    pub(crate) const fn uid(&self) -> Option<u32> {
        match self.owner {
            PeerOwner::Uid(uid) => Some(uid),
            PeerOwner::Unsupported | PeerOwner::Unknown => None,
        }
    }

    /// The same for the audit.
    pub(crate) fn user(&self) -> String {
        self.uid().map_or_else(|| "an unknown user".to_owned(), |uid| format!("user {uid}"))
    }
}

/// SHA-256 of a header secret.
pub(crate) fn digest(header: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(aws_lc_rs::digest::digest(&SHA256, header.as_bytes()).as_ref());
    bytes
}
