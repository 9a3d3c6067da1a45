//! Who opened a connection: the address, and on Linux the user who owns the other end.

use std::fs;
use std::net::{IpAddr, SocketAddr};

use aws_lc_rs::digest::SHA256;

/// What the kernel says about the other end of a loopback connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerOwner {
    /// The socket belongs to this user.
    Uid(u32),
    /// This system has no way to tell (not Linux).
    Unsupported,
    /// The socket could not be found: it is closed already, or of another network namespace.
    Unknown,
}

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
}

/// Asks the kernel which user owns the client end of an accepted loopback connection. Ask once per connection, at accept: the
/// answer is about the process that connected, even if it hands the socket on later (case 103).
#[must_use]
pub fn owner_of(peer: SocketAddr, local: SocketAddr) -> PeerOwner {
    if !cfg!(target_os = "linux") {
        return PeerOwner::Unsupported;
    }
    let table = if peer.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let Ok(text) = fs::read_to_string(table) else { return PeerOwner::Unknown };
    let (ours, theirs) = (proc_address(peer), proc_address(local));
    text.lines()
        .skip(1)
        .find_map(|line| {
            // sl local_address rem_address st tx:rx tr:when retrnsmt uid …
            let mut fields = line.split_ascii_whitespace().skip(1);
            let ends = (fields.next()?, fields.next()?);
            (ends == (ours.as_str(), theirs.as_str())).then(|| fields.nth(4)?.parse().ok())?
        })
        .map_or(PeerOwner::Unknown, PeerOwner::Uid)
}

/// An address as `/proc/net/tcp` writes it: each 32-bit word of the address in the machine's byte order, in hex.
fn proc_address(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words: String =
        bytes.chunks_exact(4).map(|word| format!("{:08X}", u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))).collect();
    format!("{words}:{:04X}", address.port())
}

/// SHA-256 of a header secret.
pub(crate) fn digest(header: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(aws_lc_rs::digest::digest(&SHA256, header.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_kernel_names_the_owner_of_a_connection_n101() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host) else { continue };
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, peer) = listener.accept().unwrap();
            assert_eq!(owner_of(peer, server.local_addr().unwrap()), PeerOwner::Uid(rustix::process::getuid().as_raw()));
            assert_eq!(owner_of("127.0.0.1:1".parse().unwrap(), server.local_addr().unwrap()), PeerOwner::Unknown);
        }
    }
}
