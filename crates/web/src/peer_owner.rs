//! Which user of this machine owns the other end of a loopback connection.
//!
//! The kernel is asked for the one socket, by its addresses: it takes the same time whatever others have open, and a socket that is there is found.
//! Kernels that cannot be asked so (some sandboxes) still have tables to read. Nothing is known here of what the answer is used for.

#[cfg(target_os = "linux")]
mod proc_net;
#[cfg(target_os = "linux")]
mod sock_diag;

use std::net::SocketAddr;

/// What the kernel says about the other end of a loopback connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerOwner {
    /// The socket belongs to this user.
    Uid(u32),
    /// This system has no way to tell: not Linux, or a sandbox without the kernel's tables. Nothing that a caller does leads here.
    Unsupported,
    /// The system can tell, and did not: the socket is closed already, is on another machine or in another network namespace, or there was
    /// no memory or descriptor to ask with. SECURITY: whoever demands a user refuses this one.
    Unknown,
}

/// Asks which user owns the other end of a connection: the end that is bound to `peer` and connected to `local`. Works for both sides - for the client of an
/// accepted connection, and for the server that answered ours - and for sockets of either address family: a dual-stack client is an
/// IPv4 peer to us, and an IPv6 socket to the kernel.
///
/// Ask once per connection, when it is new: the answer is about the process that opened it, even if it hands the socket on later (case 103).
#[must_use]
pub fn owner_of(peer: SocketAddr, local: SocketAddr) -> PeerOwner {
    if !peer.ip().to_canonical().is_loopback() {
        return PeerOwner::Unknown;
    }
    told_apart(of_loopback(peer, local), || std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default())
}

/// The user as whom a user namespace shows everybody whom it does not know, as `/proc/sys/kernel/overflowuid` says.
const NOBODY: u32 = 65_534;

/// SECURITY: within a user namespace (a rootless container) all users of the machine that it does not map look like this one: whoever
/// may ask as `nobody` must not let them all in.
fn told_apart(owner: PeerOwner, uid_map: impl FnOnce() -> String) -> PeerOwner {
    match owner {
        PeerOwner::Uid(NOBODY) if !uid_map().split_ascii_whitespace().eq(["0", "0", "4294967295"]) => PeerOwner::Unknown,
        owner => owner,
    }
}

#[cfg(target_os = "linux")]
fn of_loopback(peer: SocketAddr, local: SocketAddr) -> PeerOwner {
    use sock_diag::Answer;
    let owner = match sock_diag::ask(peer, local) {
        Ok(Answer::Owner(uid)) => return PeerOwner::Uid(uid),
        Ok(Answer::Gone) => return PeerOwner::Unknown,
        // A kernel without the module for TCP says the same of every socket. Ours is there for certain: so was it this one, or all?
        Ok(Answer::NotFound) => sock_diag::ask(local, peer).map(|answer| answer == Answer::NotFound),
        Err(error) => Err(error),
    };
    match owner {
        Ok(false) => PeerOwner::Unknown,
        // SECURITY: only what the kernel lacks leads to the tables. What a crowd of callers can bring about - no descriptor, no memory - is
        // an unknown owner, and no reason to read tables that the crowd made long.
        Ok(true) => proc_net::owner_of(peer, local),
        Err(error) if sock_diag::is_lacking(error) => proc_net::owner_of(peer, local),
        Err(_) => PeerOwner::Unknown,
    }
}

#[cfg(not(target_os = "linux"))]
fn of_loopback(_: SocketAddr, _: SocketAddr) -> PeerOwner {
    PeerOwner::Unsupported
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
