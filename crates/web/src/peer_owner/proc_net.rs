//! The kernel's tables of TCP sockets, `/proc/net/tcp` and `tcp6`, for systems that cannot be asked for one socket.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};

use super::PeerOwner;

#[cfg(test)]
std::thread_local! {
    /// How often the tables were read.
    pub(super) static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

pub(super) fn owner_of(peer: SocketAddr, local: SocketAddr) -> PeerOwner {
    #[cfg(test)]
    READ.with(|read| read.set(read.get() + 1));
    let mut owner = PeerOwner::Unsupported;
    // An IPv4 peer may be a socket of either family; each is in the table of its own.
    for (table, mapped) in [("/proc/net/tcp", false), ("/proc/net/tcp6", true)] {
        match fs::read_to_string(table) {
            Ok(text) => match find(&text, &proc_address(peer, mapped), &proc_address(local, mapped)) {
                Some(uid) => return PeerOwner::Uid(uid),
                None => owner = PeerOwner::Unknown,
            },
            // The machine has no IPv6, or the sandbox no such tables.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {}
            Err(_) => return PeerOwner::Unknown,
        }
    }
    owner
}

fn find(table: &str, own: &str, other: &str) -> Option<u32> {
    table.lines().skip(1).find_map(|line| {
        // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
        let mut fields = line.split_ascii_whitespace().skip(1);
        if (fields.next()?, fields.next()?) != (own, other) {
            return None;
        }
        let uid = fields.nth(4)?.parse().ok()?;
        // SECURITY: what has no inode belongs to no process any more, whatever user is written there.
        (fields.nth(1)? != "0").then_some(uid)
    })
}

/// An address as the tables write it: each 32-bit word in the machine's byte order, in hex.
fn proc_address(address: SocketAddr, mapped: bool) -> String {
    let bytes = match address.ip().to_canonical() {
        IpAddr::V4(ip) if mapped => ip.to_ipv6_mapped().octets().to_vec(),
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words: String =
        bytes.chunks_exact(4).map(|word| format!("{:08X}", u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))).collect();
    format!("{words}:{:04X}", address.port())
}
