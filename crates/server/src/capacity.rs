//! How many connections there may be, and how many of them one stranger may hold.
//!
//! Every connection is a descriptor, and a process that runs out of them can neither call a model nor open the next file of its audit log.
//! So their number follows from the descriptors there are; each listener has a share that no other can take; and of a share one source
//! may hold a part. Nothing is known here of what is spoken on a connection.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use keyless_audit::MOST_KEPT;
use keyless_web::PeerOwner;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::listen::Service;

/// Descriptors that no connection gets: the audit log, the state database, listeners, questions to the kernel and to issuers, operations.
const RESERVE: u64 = 256;
/// Connections to the planes for each worker, however many descriptors there are: it is memory, too.
const PER_WORKER: u64 = 8_192;
/// Health and metrics: a handful of supervisors.
const OPERATIONS: usize = 32;
/// Of all calls of models, one caller may have one part in so many.
const PART_OF_CALLS: usize = 8;
/// Of a listener's share, one source may hold one part in so many.
const PART: usize = 4;
/// And never fewer than these.
const FEW: usize = 8;

/// Whose connections are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// A user of this machine: its address says nothing, as every user has the same.
    User(u32),
    /// A machine; of IPv6 the network of 2^64 addresses that a single machine may well have.
    Address(IpAddr),
    /// All of them: a user may have subordinate ids, and a stranger many addresses.
    Everybody,
}

/// The connections of this process, counted.
#[derive(Debug)]
pub(crate) struct Capacity {
    shares: [Share; Service::ALL.len()],
    local: usize,
    calls: usize,
    /// Who runs this system, and may use it whole.
    owner: u32,
    /// Without entries of nought: two for each connection, at most.
    held: Mutex<HashMap<(Service, Source), usize>>,
    turned_away: AtomicU64,
}

#[derive(Debug)]
struct Share {
    total: usize,
    free: Arc<Semaphore>,
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    counted: Option<Counted>,
}

/// What it is counted under: its source, and all sources together.
#[derive(Debug)]
struct Counted {
    capacity: Arc<Capacity>,
    keys: [(Service, Source); 2],
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(Counted { capacity, keys }) = &self.counted else { return };
        let mut held = capacity.held.lock().expect("no holder of this lock panics");
        for key in keys {
            if let Some(count) = held.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    held.remove(key);
                }
            }
        }
    }
}

impl Capacity {
    /// What `descriptors` allow for. A call of a model is two connections, so half of them are for clients and half for model servers.
    pub(crate) fn of(descriptors: u64, workers: usize, owner: u32) -> Arc<Self> {
        let most = PER_WORKER.saturating_mul(workers as u64);
        let half = descriptors.saturating_sub(RESERVE) / 2;
        let clients = usize::try_from(half.min(most)).unwrap_or(usize::MAX);
        // However many calls a client makes on one connection, each of them is a connection of its own to a model server.
        let calls = usize::try_from(half).unwrap_or(usize::MAX).clamp(FEW, MOST_KEPT);
        let shares = Service::ALL.map(|service| {
            let total = match service {
                Service::Planes => clients / 2,
                Service::PlainGateway => clients / 4,
                Service::Metadata => clients / 8,
                Service::Operations => OPERATIONS,
            };
            let total = total.max(FEW);
            Share { total, free: Arc::new(Semaphore::new(total)) }
        });
        Arc::new(Self { shares, local: (clients / 8).max(FEW), calls, owner, held: Mutex::default(), turned_away: AtomicU64::new(0) })
    }

    /// How many connections a listener may have.
    pub(crate) const fn total(&self, service: Service) -> usize {
        self.shares[service as usize].total
    }

    /// How many the owner's socket may have.
    pub(crate) const fn local(&self) -> usize {
        self.local
    }

    /// How many calls of models may be under way: the model servers' half, and no more than the audit log keeps events of.
    pub(crate) const fn calls(&self) -> usize {
        self.calls
    }

    /// How many of them one caller may have.
    pub(crate) fn calls_of_one(&self) -> usize {
        (self.calls / PART_OF_CALLS).max(FEW)
    }

    /// How many a listener has or is about to accept.
    pub(crate) fn open(&self, service: Service) -> usize {
        let share = &self.shares[service as usize];
        share.total.saturating_sub(share.free.available_permits())
    }

    /// How many connections were closed because their source had its part.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Waits until the listener may accept one more; meanwhile they wait in the kernel's queue.
    pub(crate) async fn free(&self, service: Service) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.shares[service as usize].free).acquire_owned().await.ok()
    }

    /// A place for an accepted connection; `None` when its source holds its part already.
    pub(crate) fn place(self: &Arc<Self>, service: Service, permit: OwnedSemaphorePermit, peer: IpAddr, owner: PeerOwner) -> Option<Place> {
        let Some(source) = source(self.owner, peer, owner) else { return Some(Place { _permit: permit, counted: None }) };
        let part = (self.total(service) / PART).max(FEW);
        // What is left is the owner's, whoever else comes.
        let together = self.total(service).saturating_sub(part).max(part);
        let bounds = [((service, source), part), ((service, Source::Everybody), together)];
        let mut held = self.held.lock().expect("no holder of this lock panics");
        if bounds.iter().any(|(key, bound)| held.get(key).is_some_and(|count| count >= bound)) {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let keys = bounds.map(|(key, _)| key);
        for key in keys {
            *held.entry(key).or_insert(0) += 1;
        }
        drop(held);
        Some(Place { _permit: permit, counted: Some(Counted { capacity: Arc::clone(self), keys }) })
    }
}

/// Whom something is counted for; `None` for whoever may have the whole: `own`, who runs this system, and root.
pub(crate) fn source(own: u32, peer: IpAddr, owner: PeerOwner) -> Option<Source> {
    let address = peer.to_canonical();
    match owner {
        // Whoever could end the process gains nothing by filling it.
        PeerOwner::Uid(uid) if uid == own || uid == 0 => None,
        PeerOwner::Uid(uid) => Some(Source::User(uid)),
        // Where users cannot be told apart, a loopback address is everybody, the owner first.
        PeerOwner::Unsupported if address.is_loopback() => None,
        PeerOwner::Unknown | PeerOwner::Unsupported => Some(Source::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: u32 = 1000;

    async fn take(capacity: &Arc<Capacity>, service: Service, peer: &str, owner: PeerOwner) -> Option<Place> {
        let permit = capacity.free(service).await.expect("it is never closed");
        capacity.place(service, permit, peer.parse().expect("an address"), owner)
    }

    async fn take_all(capacity: &Arc<Capacity>, service: Service, peer: &str, owner: PeerOwner) -> Vec<Place> {
        let mut places = Vec::new();
        while let Some(place) = take(capacity, service, peer, owner).await {
            places.push(place);
        }
        places
    }

    #[test]
    fn connections_leave_descriptors_for_everything_else_d10_i5() {
        for descriptors in [1_024, 4_096, 65_536, 1_048_576] {
            let capacity = Capacity::of(descriptors, 64, OWNER);
            let connections: usize = Service::ALL.iter().map(|service| capacity.total(*service)).sum::<usize>() + capacity.local();
            // Those to model servers, and the reserve still there.
            assert!((connections + capacity.calls()) as u64 + 128 <= descriptors, "{connections} of {descriptors}");
        }
    }

    #[test]
    fn calls_of_models_follow_from_the_descriptors_of_model_servers_d10() {
        let bounds = |descriptors| {
            let capacity = Capacity::of(descriptors, 2, OWNER);
            (capacity.calls(), capacity.calls_of_one())
        };
        assert_eq!([0, 1_024, 4_096, 1_048_576].map(bounds), [(8, 8), (384, 48), (1_920, 240), (16_384, 2_048)]);
    }

    #[tokio::test]
    async fn one_stranger_fills_no_listener_d10_i5() {
        for (peer, owner) in [("127.0.0.1", PeerOwner::Uid(2000)), ("127.0.0.1", PeerOwner::Unknown), ("192.0.2.7", PeerOwner::Unknown)] {
            let capacity = Capacity::of(1_024, 2, OWNER);
            let strangers = take_all(&capacity, Service::Planes, peer, owner).await;
            assert_eq!(strangers.len(), capacity.total(Service::Planes) / PART, "{peer} {owner:?}");
            assert_eq!(capacity.turned_away(), 1);
            assert!(take(&capacity, Service::Planes, "127.0.0.1", PeerOwner::Uid(OWNER)).await.is_some(), "the owner is served");
            assert!(take(&capacity, Service::Planes, "198.51.100.1", PeerOwner::Unknown).await.is_some(), "so are others");
            drop(strangers);
            assert!(take(&capacity, Service::Planes, peer, owner).await.is_some(), "what was given back may be had again");
            assert!(capacity.held.lock().unwrap().is_empty(), "nothing is kept of those who left");
        }
    }

    #[tokio::test]
    async fn strangers_with_many_user_ids_leave_a_part_to_the_owner() {
        for service in [Service::Planes, Service::PlainGateway, Service::Metadata] {
            let capacity = Capacity::of(4_096, 2, OWNER);
            let mut places = Vec::new();
            for uid in 100_000..100_010 {
                places.extend(take_all(&capacity, service, "127.0.0.1", PeerOwner::Uid(uid)).await);
            }
            let part = capacity.total(service) / PART;
            assert_eq!(places.len(), capacity.total(service) - part, "{service:?}");
            for _ in 0..part {
                places.push(take(&capacity, service, "127.0.0.1", PeerOwner::Uid(OWNER)).await.expect("the owner's part"));
            }
        }
    }

    #[tokio::test]
    async fn one_source_fills_no_plain_listener_either() {
        let capacity = Capacity::of(1_024, 2, OWNER);
        let proxy = take_all(&capacity, Service::PlainGateway, "127.0.0.1", PeerOwner::Uid(33)).await;
        assert_eq!(proxy.len(), capacity.total(Service::PlainGateway) / PART);
    }

    #[tokio::test]
    async fn a_network_of_many_addresses_is_one_source_d10_i5() {
        let capacity = Capacity::of(1_024, 2, OWNER);
        let mut places = Vec::new();
        for host in 0..capacity.total(Service::Planes) / PART {
            places
                .push(take(&capacity, Service::Planes, &format!("2001:db8::{host:x}"), PeerOwner::Unknown).await.expect("within its part"));
        }
        assert!(take(&capacity, Service::Planes, "2001:db8::ffff", PeerOwner::Unknown).await.is_none());
        assert!(take(&capacity, Service::Planes, "2001:db8:0:1::1", PeerOwner::Unknown).await.is_some(), "another network");
    }

    #[tokio::test]
    async fn a_full_listener_takes_no_place_of_another_d10_i5() {
        let capacity = Capacity::of(1_024, 2, OWNER);
        let mut all = Vec::new();
        for _ in 0..capacity.total(Service::Planes) {
            all.push(take(&capacity, Service::Planes, "127.0.0.1", PeerOwner::Uid(OWNER)).await.expect("the owner may have the whole"));
        }
        assert_eq!(capacity.open(Service::Planes), capacity.total(Service::Planes));
        for service in [Service::Metadata, Service::Operations] {
            assert!(take(&capacity, service, "127.0.0.1", PeerOwner::Uid(OWNER)).await.is_some(), "{service:?}");
        }
    }
}
