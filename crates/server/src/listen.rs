//! Sockets: bound early and all together, served late, one set per worker thread.

use std::io;
use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use socket2::{Domain, Protocol, Socket, Type};

/// What is spoken on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// All planes, over TLS.
    Planes,
    /// The gateway alone, in plain HTTP, behind a TLS terminator on this machine.
    PlainGateway,
    /// Managed-identity endpoints.
    Metadata,
    /// Health and metrics.
    Operations,
}

/// A bound address with one socket per worker; the kernel spreads connections over them (`SO_REUSEPORT`).
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) service: Service,
    pub(crate) address: SocketAddr,
    pub(crate) sockets: Vec<TcpListener>,
}

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Binds an address `workers` times. Port 0 chooses a free port.
pub(crate) fn bind(service: Service, address: SocketAddr, workers: usize) -> anyhow::Result<Bound> {
    let taken = || format!("cannot listen on {address}; another program may use the port: choose another one, or 0 for any free one");
    // SECURITY: SO_REUSEPORT would let two systems of one user share a port, and each answer half of the calls. A plain bind
    // fails when anyone listens already; only then is the port shared among our own workers.
    let probe = TcpListener::bind(address).with_context(taken)?;
    let address = probe.local_addr()?;
    drop(probe);
    let sockets = (0..workers.max(1)).map(|_| shared(address)).collect::<io::Result<Vec<_>>>().with_context(taken)?;
    Ok(Bound { service, address, sockets })
}

fn shared(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_system_does_not_share_the_port() {
        let first = bind(Service::Metadata, "127.0.0.1:0".parse().unwrap(), 2).unwrap();
        assert_eq!(first.sockets.len(), 2);
        let error = bind(Service::Metadata, first.address, 2).unwrap_err();
        assert!(error.to_string().contains("another program may use the port"), "{error}");
    }
}
