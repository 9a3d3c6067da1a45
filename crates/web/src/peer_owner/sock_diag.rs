//! The kernel's socket diagnostics (`NETLINK_SOCK_DIAG`, sock_diag(7)): one question about one TCP socket.

use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

/// `struct nlmsghdr`: length, type, flags, sequence, port.
const HEADER: usize = 16;
/// `struct inet_diag_req_v2`.
const REQUEST: usize = 56;
/// `struct inet_diag_msg`.
const MESSAGE: usize = 72;
/// `struct inet_diag_sockid` begins so far into both of them: in the request after family, protocol, extensions and states.
const ID_IN_REQUEST: usize = 8;
const ID_IN_MESSAGE: usize = 4;
/// Ports and addresses of it; the interface and the cookie come after.
const ENDS: usize = 36;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const IPPROTO_TCP: u8 = 6;
const NO_COOKIE: [u8; 8] = [0xFF; 8];
const TIME_WAIT: u8 = 6;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Owner(u32),
    /// There was such a socket, and no process has it any more.
    Gone,
    NotFound,
}

/// Asks for the socket that is bound to `own` and connected to `other`.
pub(super) fn ask(own: SocketAddr, other: SocketAddr) -> Result<Answer, Errno> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    let request = request(own, other);
    // Not connected, not bound: what is sent goes to the kernel, and only the kernel answers this port without being asked to.
    send(&socket, &request, SendFlags::empty())?;
    let mut answer = [0; 512];
    // The kernel answers before `send` returns, so there is nothing to wait for.
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::DONTWAIT)?;
    read(&answer[..length], &request)
}

/// Whether this says that the system has no such diagnostics at all, rather than that this question failed.
pub(super) fn is_lacking(error: Errno) -> bool {
    matches!(
        error,
        Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::INVAL
    )
}

pub(super) fn request(own: SocketAddr, other: SocketAddr) -> [u8; HEADER + REQUEST] {
    let mut request = [0; HEADER + REQUEST];
    let length = u32::try_from(request.len()).unwrap_or_default();
    request[..4].copy_from_slice(&length.to_ne_bytes());
    request[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request[6..8].copy_from_slice(&NLM_F_REQUEST.to_ne_bytes());
    let body = &mut request[HEADER..];
    // The kernel looks a pair of IPv4 addresses up among the sockets of both families.
    body[0] = if own.ip().to_canonical().is_ipv4() { AF_INET } else { AF_INET6 };
    body[1] = IPPROTO_TCP;
    body[4..8].copy_from_slice(&u32::MAX.to_ne_bytes());
    body[ID_IN_REQUEST..ID_IN_REQUEST + 2].copy_from_slice(&own.port().to_be_bytes());
    body[ID_IN_REQUEST + 2..ID_IN_REQUEST + 4].copy_from_slice(&other.port().to_be_bytes());
    place(&mut body[ID_IN_REQUEST + 4..], own.ip());
    place(&mut body[ID_IN_REQUEST + 20..], other.ip());
    body[ID_IN_REQUEST + 40..ID_IN_REQUEST + 48].copy_from_slice(&NO_COOKIE);
    request
}

/// An address in sixteen bytes: IPv4 fills the first four.
fn place(bytes: &mut [u8], address: IpAddr) {
    match address.to_canonical() {
        IpAddr::V4(address) => bytes[..4].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => bytes[..16].copy_from_slice(&address.octets()),
    }
}

fn read(answer: &[u8], request: &[u8]) -> Result<Answer, Errno> {
    let word = |at: usize| answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes).ok_or(Errno::BADMSG);
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes).ok_or(Errno::BADMSG)?;
    if kind == NLMSG_ERROR {
        return match Errno::from_raw_os_error(word(HEADER)?.cast_signed().wrapping_neg()) {
            Errno::NOENT => Ok(Answer::NotFound),
            error => Err(error),
        };
    }
    let Some(message) = answer.get(HEADER..HEADER + MESSAGE).filter(|_| kind == SOCK_DIAG_BY_FAMILY) else { return Err(Errno::BADMSG) };
    // SECURITY: without such a connection the kernel answers with whoever listens on the port, which is somebody else. A socket in TIME-WAIT
    // and one that its process has closed belong to nobody; some kernels say "root" of them. They have no inode.
    let inode = word(HEADER + 68)?;
    let asked = &request[HEADER + ID_IN_REQUEST..][..ENDS];
    let told = &message[ID_IN_MESSAGE..][..ENDS];
    if inode == 0 || message[1] == TIME_WAIT {
        return Ok(Answer::Gone);
    }
    if !same_ends(asked, told) {
        return Ok(Answer::Gone);
    }
    Ok(Answer::Owner(word(HEADER + 64)?))
}

/// Whether two pairs of ends are one. A dual-stack socket's addresses are told in the mapped form.
fn same_ends(asked: &[u8], told: &[u8]) -> bool {
    let address = |bytes: &[u8]| -> [u8; 16] { bytes.try_into().unwrap_or_default() };
    let plain = |bytes: &[u8]| match IpAddr::from(address(bytes)).to_canonical() {
        IpAddr::V4(mapped) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&mapped.octets());
            bytes
        }
        IpAddr::V6(_) => address(bytes),
    };
    asked[..4] == told[..4] && asked[4..20] == plain(&told[4..20]) && asked[20..36] == plain(&told[20..36])
}
