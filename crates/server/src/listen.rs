//! Sockets: bound early and all together, served late, one set per worker thread.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};

use anyhow::Context as _;
use keyless_config::Listen;
use keyless_web::Endpoints;
use socket2::{Domain, Protocol, Socket, Type};

mod holder;

/// What is spoken on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

impl Service {
    pub(crate) const ALL: [Self; 4] = [Self::Planes, Self::PlainGateway, Self::Metadata, Self::Operations];

    /// The option that chooses its port.
    const fn option(self) -> &'static str {
        match self {
            Self::Planes => "--port",
            Self::PlainGateway => "--gateway-http",
            Self::Metadata => "--metadata-port",
            Self::Operations => "--operations-port",
        }
    }
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
    let taken = || {
        let option = service.option();
        let user =
            holder::of(address).map_or_else(|| "another program may use the port".to_owned(), |user| format!("{user} uses the port"));
        format!("cannot listen on {address}; {user}: choose another one with `{option} PORT`, 0 for any free one")
    };
    // SECURITY: SO_REUSEPORT would let two systems of one user share a port, and each answer half of the calls. A plain bind
    // fails when anyone listens already; only then is the port shared among our own workers.
    let probe = TcpListener::bind(address).with_context(taken)?;
    let address = probe.local_addr()?;
    drop(probe);
    let sockets = (0..workers.max(1)).map(|_| shared(address)).collect::<io::Result<Vec<_>>>().with_context(taken)?;
    Ok(Bound { service, address, sockets })
}

/// Binds every listener.
pub(crate) fn bind_all(listen: &Listen, workers: usize) -> anyhow::Result<Vec<Bound>> {
    let planes = bind(Service::Planes, listen.https.socket(), workers)?;
    // `localhost` is two addresses; a client that tries ::1 first must not find someone else there.
    let six = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), planes.address.port());
    let second = bind(Service::Planes, six, workers);
    let mut all = vec![
        planes,
        bind(Service::Metadata, listen.metadata().socket(), workers)?,
        bind(Service::Operations, listen.operations().socket(), 1)?,
    ];
    match second {
        Ok(bound) => all.push(bound),
        Err(error) => tracing::debug!(error = format!("{error:#}"), "no IPv6 loopback here"),
    }
    if let Some(address) = listen.gateway_http {
        all.push(bind(Service::PlainGateway, address.socket(), workers)?);
    }
    Ok(all)
}

/// The sockets of all listeners, worker by worker.
pub(crate) fn shares(all: Vec<Bound>) -> Vec<Vec<(Service, TcpListener)>> {
    let mut shares: Vec<Vec<(Service, TcpListener)>> = Vec::new();
    for bound in all {
        for (number, socket) in bound.sockets.into_iter().enumerate() {
            if shares.len() <= number {
                shares.push(Vec::new());
            }
            shares[number].push((bound.service, socket));
        }
    }
    shares
}

pub(crate) fn endpoints(bound: &[Bound], listen: &Listen) -> Endpoints {
    let address = |service| bound.iter().find(|found| found.service == service).map_or(listen.https.socket(), |found| found.address);
    let base = format!("https://localhost:{}", address(Service::Planes).port());
    Endpoints {
        authority: base.clone(),
        control: base.clone(),
        gateway: base,
        metadata: format!("http://{}", address(Service::Metadata)),
        wildcard_domain: listen.wildcard_domain.clone(),
    }
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
        assert!(error.to_string().contains("uses the port: choose another one with `--metadata-port PORT`"), "{error}");
        // A process that the machine's kernel names is named: here it is this one.
        #[cfg(target_os = "linux")]
        assert!(error.to_string().contains(&format!("(process {})", std::process::id())), "{error}");
    }
}
