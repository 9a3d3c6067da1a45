//! Which worker serves a connection: the one with the fewest.
//!
//! The kernel spreads new connections over the workers' sockets by a hash of the address, so that of 32 connections one worker may
//! well get 20 and the other 12: the calls of the 20 then wait while the other worker idles. So whoever accepts a connection hands it to
//! the worker with the fewest open ones. Nothing is known here of what is spoken on a connection.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyless_metadata::Connection;
use tokio::sync::mpsc;

use crate::capacity::Place;
use crate::listen::Service;

/// All workers of the process, as each of them sees them.
#[derive(Debug, Clone)]
pub(crate) struct Crew(Arc<[Member]>);

#[derive(Debug)]
struct Member {
    arrivals: mpsc::UnboundedSender<Arrival>,
    /// Connections it serves or is about to.
    open: Arc<AtomicUsize>,
}

/// An accepted connection on its way to its worker. There are never more than there is capacity for.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) service: Service,
    pub(crate) stream: TcpStream,
    pub(crate) connection: Connection,
    pub(crate) seat: Seat,
}

/// Counts a connection for as long as it is open.
#[derive(Debug)]
pub(crate) struct Seat {
    open: Arc<AtomicUsize>,
    _place: Place,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Crew {
    /// A crew of `workers`, and where each of them receives its connections.
    pub(crate) fn of(workers: usize) -> (Self, Vec<mpsc::UnboundedReceiver<Arrival>>) {
        let (members, receivers): (Vec<_>, Vec<_>) = (0..workers)
            .map(|_| {
                let (arrivals, receiver) = mpsc::unbounded_channel();
                (Member { arrivals, open: Arc::default() }, receiver)
            })
            .unzip();
        (Self(members.into()), receivers)
    }

    /// Gives a connection that worker `own` accepted to the worker with the fewest; to `own` when no other has fewer. When that worker has
    /// stopped already, so has the system, and the connection is closed.
    pub(crate) fn hand(&self, own: usize, service: Service, stream: TcpStream, connection: Connection, place: Place) {
        let load = |(index, member): &(usize, &Member)| (member.open.load(Ordering::Relaxed), *index != own);
        let Some((_, member)) = self.0.iter().enumerate().min_by_key(load) else { return };
        member.open.fetch_add(1, Ordering::Relaxed);
        let seat = Seat { open: Arc::clone(&member.open), _place: place };
        _ = member.arrivals.send(Arrival { service, stream, connection, seat });
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use keyless_web::PeerOwner;

    use super::*;
    use crate::capacity::Capacity;

    /// A crew of two, and a way to hand it connections.
    struct Bench {
        crew: Crew,
        received: Vec<mpsc::UnboundedReceiver<Arrival>>,
        listener: TcpListener,
        capacity: Arc<Capacity>,
        runtime: tokio::runtime::Runtime,
    }

    impl Bench {
        fn new() -> Self {
            let (crew, received) = Crew::of(2);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            Self { crew, received, listener, capacity: Capacity::of(1_024, 2, 0), runtime }
        }

        fn accepted_by(&self, own: usize) {
            let stream = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
            let peer = stream.local_addr().unwrap();
            let permit = self.runtime.block_on(self.capacity.free(Service::PlainGateway)).unwrap();
            let connection = Connection { peer, owner: PeerOwner::Uid(0) };
            let place = self.capacity.place(Service::PlainGateway, permit, peer.ip(), connection.owner).unwrap();
            self.crew.hand(own, Service::PlainGateway, stream, connection, place);
        }

        fn served_by(&mut self, worker: usize) -> Vec<Arrival> {
            std::iter::from_fn(|| self.received[worker].try_recv().ok()).collect()
        }
    }

    #[test]
    fn connections_are_shared_evenly_whoever_accepts_them() {
        let mut bench = Bench::new();
        (0..32).for_each(|_| bench.accepted_by(1));
        assert_eq!((bench.served_by(0).len(), bench.served_by(1).len()), (16, 16));
    }

    #[test]
    fn a_worker_keeps_what_it_accepts_while_nobody_has_fewer() {
        let mut bench = Bench::new();
        bench.accepted_by(1);
        assert_eq!((bench.served_by(0).len(), bench.capacity.open(Service::PlainGateway)), (0, 1));
    }

    #[test]
    fn closed_connections_count_no_more() {
        let mut bench = Bench::new();
        (0..8).for_each(|_| bench.accepted_by(0));
        drop(bench.served_by(0));
        (0..4).for_each(|_| bench.accepted_by(1));
        assert_eq!((bench.served_by(0).len(), bench.served_by(1).len()), (4, 4));
    }
}
