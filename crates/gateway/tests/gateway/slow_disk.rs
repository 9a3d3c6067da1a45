//! An audit log that waits for a slow disk: the call whose record it is waits, and no other call of the thread.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use keyless_audit::{AuditEvent, AuditSink, AuditUnavailable};
use keyless_testkit::{MemoryAudit, TestPlatform};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::support::*;

/// The first write takes until the test says so; the others are as quick as memory.
#[derive(Debug)]
struct Slow {
    disk: Arc<MemoryAudit>,
    first: Mutex<Option<Receiver<()>>>,
    begun: UnboundedSender<()>,
}

impl AuditSink for Slow {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        let first = self.first.lock().unwrap().take();
        if let Some(first) = first {
            self.begun.send(()).unwrap();
            _ = first.recv();
        }
        self.disk.record(event)
    }

    fn waits(&self) -> bool {
        true
    }

    fn ready(&self) -> Result<(), AuditUnavailable> {
        Ok(())
    }
}

struct Bench {
    world: World,
    release: Sender<()>,
    begun: tokio::sync::mpsc::UnboundedReceiver<()>,
}

impl Bench {
    async fn new() -> Self {
        let mut test = TestPlatform::new().await;
        let ((release, first), (begins, begun)) = (channel(), tokio::sync::mpsc::unbounded_channel());
        let slow = Slow { disk: Arc::clone(&test.audit), first: Mutex::new(Some(first)), begun: begins };
        Arc::get_mut(&mut test.platform).expect("nobody else has it yet").audit = Arc::new(slow);
        Self { world: World::on(test, |_| {}).await, release, begun }
    }

    fn statuses(&self) -> Vec<Option<u16>> {
        self.world.test.audit.events().iter().map(|event| event.status).collect()
    }
}

/// These tests have one thread: with it blocked, nobody would release the disk.
#[tokio::test]
async fn the_end_of_a_stream_holds_up_no_other_call_while_the_disk_is_slow_d15() {
    let mut bench = Bench::new().await;
    let (feed, script) = Script::stream(4);
    bench.world.server.next(script);
    feed.send(Ok("data: {\"choices\":[]}\n\n".into())).await.unwrap();
    feed.send(Ok("data: [DONE]\n\n".into())).await.unwrap();
    drop(feed);
    let request = bench.world.post(CHAT, r#"{"messages":[],"stream":true}"#);
    let response = bench.world.open(request).await;
    let mut whole = JoinSet::new();
    whole.spawn(Answer::of(response));
    bench.begun.recv().await.unwrap();
    assert_eq!(bench.world.chat().await.status, 200);
    assert_eq!(bench.statuses(), [Some(200)], "only the other call is recorded");
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(whole.try_join_next().is_none(), "the end of the stream waits for its record");
    bench.release.send(()).unwrap();
    assert!(whole.join_next().await.unwrap().unwrap().unwrap().body.ends_with("data: [DONE]\n\n"));
    assert_eq!(bench.statuses().len(), 2);
}

#[tokio::test]
async fn a_caller_who_leaves_holds_up_no_other_call_while_the_disk_is_slow_d15() {
    let mut bench = Bench::new().await;
    let (feed, script) = Script::stream(4);
    bench.world.server.next(script);
    feed.send(Ok("data: {\"choices\":[]}\n\n".into())).await.unwrap();
    let request = bench.world.post(CHAT, r#"{"messages":[],"stream":true}"#);
    drop(bench.world.open(request).await);
    bench.begun.recv().await.unwrap();
    assert_eq!(bench.world.chat().await.status, 200);
    bench.release.send(()).unwrap();
    while bench.statuses().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.statuses(), [Some(200), Some(499)]);
}
