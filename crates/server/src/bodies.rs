//! Bodies of calls of the planes while they are read and worked on: how many bytes there may be, and how many of one source.
//!
//! A form or a document is read before it is known what its sender may do, so a stranger with a few hundred calls could fill the memory.
//! As with connections, a source has a part, all sources together leave a part to the owner, and nothing is known here of what is in a body.

use std::collections::HashMap;
use std::future::pending;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use keyless_web::PeerOwner;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::capacity::{Source, source};
use crate::stop;

/// Of all bodies together: sixty documents of the largest size.
const MOST: u64 = 64 << 20;
/// Of these, one source may hold one part in so many.
const PART: u64 = 4;
/// What a piece takes besides its bytes, however few they are.
const PIECE: u64 = 64;
/// For a body to arrive once the system is told to stop.
const PARTING: Duration = Duration::from_secs(2);

/// The bodies of this process, counted.
#[derive(Debug)]
pub(crate) struct Bodies {
    most: u64,
    owner: u32,
    /// Without entries of nought. All of them together are under no source.
    held: Mutex<HashMap<Option<Source>, u64>>,
}

/// Why a call ended before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its source holds its part.
    Source,
    /// There are too many bytes altogether.
    Everyone,
    /// The system stops, and the body has not arrived.
    Stopping,
}

/// What one call holds; given back when dropped.
#[derive(Debug)]
pub(crate) struct Load {
    bodies: Arc<Bodies>,
    source: Option<Source>,
    bytes: Mutex<u64>,
    /// Nobody waits for the body any more.
    read: AtomicBool,
    cut: OnceLock<Cut>,
    told: Notify,
}

/// A body whose bytes are counted as they arrive.
#[derive(Debug)]
pub(crate) struct Counted<B> {
    body: B,
    load: Arc<Load>,
}

impl Bodies {
    pub(crate) fn new(owner: u32) -> Arc<Self> {
        Arc::new(Self { most: MOST, owner, held: Mutex::default() })
    }

    /// Counts a body from now on.
    pub(crate) fn count<B: Body>(self: &Arc<Self>, body: B, peer: IpAddr, owner: PeerOwner) -> (Counted<B>, Arc<Load>) {
        let load = Arc::new(Load {
            bodies: Arc::clone(self),
            source: source(self.owner, peer, owner),
            bytes: Mutex::default(),
            read: AtomicBool::new(body.is_end_stream()),
            cut: OnceLock::new(),
            told: Notify::new(),
        });
        (Counted { body, load: Arc::clone(&load) }, load)
    }

    /// What bytes of a source count under, each with its bound.
    fn bounds(&self, source: Option<Source>) -> impl Iterator<Item = (Option<Source>, u64, Cut)> {
        let part = self.most / PART;
        let all = (None, self.most, Cut::Everyone);
        let of_source =
            source.map(|source| [(Some(source), part, Cut::Source), (Some(Source::Everybody), self.most - part, Cut::Everyone)]);
        of_source.into_iter().flatten().chain([all])
    }

    fn take(&self, source: Option<Source>, more: u64) -> Result<(), Cut> {
        let mut held = self.held.lock().expect("no holder of this lock panics");
        for (key, bound, cut) in self.bounds(source) {
            if held.get(&key).copied().unwrap_or_default() + more > bound {
                return Err(cut);
            }
        }
        for (key, _, _) in self.bounds(source) {
            *held.entry(key).or_default() += more;
        }
        drop(held);
        Ok(())
    }

    fn give_back(&self, source: Option<Source>, bytes: u64) {
        let mut held = self.held.lock().expect("no holder of this lock panics");
        for (key, _, _) in self.bounds(source) {
            if let Some(count) = held.get_mut(&key) {
                *count -= bytes;
                if *count == 0 {
                    held.remove(&key);
                }
            }
        }
    }
}

impl Load {
    /// What `call` comes to, unless its body is too much or comes too late.
    pub(crate) async fn within<T>(&self, stop: &mut watch::Receiver<bool>, call: impl Future<Output = T>) -> Result<T, Cut> {
        let too_late = async {
            stop::told(stop).await;
            sleep(PARTING).await;
            if self.read.load(Ordering::Relaxed) {
                pending().await
            }
        };
        tokio::select! {
            biased;
            () = self.told.notified() => Err(*self.cut.get().unwrap_or(&Cut::Everyone)),
            done = call => Ok(done),
            () = too_late => Err(Cut::Stopping),
        }
    }

    /// Whether there is room for a piece; where there is none, the call ends.
    fn grow(&self, piece: usize) -> bool {
        let more = piece as u64 + PIECE;
        match self.bodies.take(self.source, more) {
            Ok(()) => {
                *self.bytes.lock().expect("no holder of this lock panics") += more;
                true
            }
            Err(cut) => {
                _ = self.cut.set(cut);
                self.told.notify_one();
                false
            }
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.bodies.give_back(self.source, *self.bytes.get_mut().expect("no holder of this lock panics"));
    }
}

impl<B> Drop for Counted<B> {
    fn drop(&mut self) {
        self.load.read.store(true, Ordering::Relaxed);
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Counted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            // Whoever reads is dropped in a moment.
            Poll::Ready(Some(Ok(frame))) if !self.load.grow(frame.data_ref().map_or(0, Bytes::len)) => return Poll::Pending,
            Poll::Ready(None) => self.load.read.store(true, Ordering::Relaxed),
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::channel::{Channel, Sender};
    use http_body_util::{BodyExt as _, Full};
    use tokio::task::JoinSet;
    use tokio::time::Instant;

    use super::*;

    const OWNER: PeerOwner = PeerOwner::Uid(1000);
    const PIECES: usize = 1 << 10;

    type Call = JoinSet<Result<usize, Cut>>;

    fn bodies(most: u64) -> Arc<Bodies> {
        Arc::new(Bodies { most, owner: 1000, held: Mutex::default() })
    }

    async fn ended(mut call: Call) -> Result<usize, Cut> {
        call.join_next().await.unwrap().unwrap()
    }

    /// A call that has sent a piece of its body, which ends when the sender is dropped.
    async fn unfinished(bodies: &Arc<Bodies>, owner: PeerOwner, stop: &watch::Sender<bool>) -> (Sender<Bytes>, Call) {
        let (mut sender, body) = Channel::<Bytes>::new(1);
        let (body, load) = bodies.count(body, "127.0.0.1".parse().unwrap(), owner);
        let mut stop = stop.subscribe();
        let mut call = Call::new();
        call.spawn(async move { load.within(&mut stop, async { body.collect().await.unwrap().to_bytes().len() }).await });
        sender.send_data(Bytes::from(vec![0; PIECES - PIECE as usize])).await.unwrap();
        // Either it waits for the rest by then, or it was cut.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        (sender, call)
    }

    #[tokio::test]
    async fn unfinished_bodies_stay_below_the_bound_and_others_are_answered_d4() {
        let (bodies, stop) = (bodies(16 * PIECES as u64), watch::Sender::new(false));
        let mut held = Vec::new();
        for stranger in 1..=4 {
            for number in 0..6 {
                let (sender, mut call) = unfinished(&bodies, PeerOwner::Uid(stranger), &stop).await;
                let expected = match (stranger, number) {
                    (4, _) => Some(Cut::Everyone),
                    (_, 4..) => Some(Cut::Source),
                    _ => None,
                };
                let cut = call.try_join_next().map(|ended| ended.unwrap().unwrap_err());
                assert_eq!(cut, expected, "call {number} of {stranger}");
                if cut.is_none() {
                    held.push((sender, call));
                }
            }
        }
        let (sender, owners) = unfinished(&bodies, OWNER, &stop).await;
        drop(sender);
        assert_eq!(ended(owners).await, Ok(PIECES - PIECE as usize), "the owner is answered");
        for (sender, call) in held {
            drop(sender);
            ended(call).await.unwrap();
        }
        assert!(bodies.held.lock().unwrap().is_empty(), "nothing is kept of calls that ended");
    }

    #[tokio::test]
    async fn many_pieces_of_a_byte_count_for_what_they_take_d4() {
        let (bodies, mut stop) = (bodies(4 * 10 * PIECE), watch::Sender::new(false).subscribe());
        let (mut sender, body) = Channel::<Bytes>::new(1);
        let (body, load) = bodies.count(body, "192.0.2.1".parse().unwrap(), PeerOwner::Unknown);
        let drip = async { while sender.send_data(Bytes::from_static(b"a")).await.is_ok() {} };
        let (cut, ()) = tokio::join!(load.within(&mut stop, async move { body.collect().await.is_ok() }), drip);
        assert_eq!(cut, Err(Cut::Source));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_has_not_arrived_holds_a_stop_for_two_seconds_d10() {
        let (bodies, stop) = (bodies(MOST), watch::Sender::new(false));
        let (_sender, dripping) = unfinished(&bodies, OWNER, &stop).await;
        stop.send_replace(true);
        let begun = Instant::now();
        assert_eq!(ended(dripping).await, Err(Cut::Stopping));
        assert_eq!(begun.elapsed().as_secs(), 2);
        // One whose body is there has the whole drain.
        let (body, load) = bodies.count(Full::new(Bytes::from_static(b"whole")), "127.0.0.1".parse().unwrap(), OWNER);
        let working = async {
            drop(body);
            sleep(Duration::from_secs(9)).await;
        };
        assert_eq!(load.within(&mut stop.subscribe(), working).await, Ok(()));
    }
}
