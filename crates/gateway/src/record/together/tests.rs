use std::sync::atomic::{AtomicBool, Ordering};

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_model::{Actor, OpContext, RequestId, Timestamp};
use tokio::task::JoinSet;

use super::super::entry::Unwritten;
use super::super::recorder::Recorder;
use super::*;

/// Remembers the size of every write.
#[derive(Debug, Default)]
struct Sink {
    writes: Mutex<Vec<usize>>,
    broken: AtomicBool,
}

impl AuditSink for Sink {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        self.record_all(std::slice::from_ref(event))
    }

    fn record_all(&self, events: &[AuditEvent]) -> Result<(), AuditUnavailable> {
        self.ready()?;
        self.writes.lock().unwrap().push(events.len());
        Ok(())
    }

    fn ready(&self) -> Result<(), AuditUnavailable> {
        if self.broken.load(Ordering::Relaxed) { Err(AuditUnavailable { reason: "full".to_owned() }) } else { Ok(()) }
    }
}

impl Sink {
    fn writes(&self) -> Vec<usize> {
        self.writes.lock().unwrap().clone()
    }
}

fn event() -> Entry {
    let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::default(), Actor::Anonymous);
    let event = AuditEvent::new(&ctx, Category::Data, "ChatCompletions_Create", Outcome::Allowed);
    Entry { event, unwritten: Unwritten::Withheld, seat: None }
}

fn sink() -> (Arc<Sink>, Arc<dyn AuditSink>) {
    let sink = Arc::new(Sink::default());
    (Arc::clone(&sink), sink)
}

async fn five(audit: &Arc<dyn AuditSink>) -> Vec<Result<(), AuditUnavailable>> {
    let mut calls = JoinSet::new();
    for _ in 0..5 {
        let audit = Arc::clone(audit);
        calls.spawn(async move { record(&audit, event()).await });
    }
    calls.join_all().await
}

#[tokio::test]
async fn calls_that_end_together_are_written_at_once() {
    let (sink, audit) = sink();
    assert!(five(&audit).await.iter().all(Result::is_ok));
    record(&audit, event()).await.unwrap();
    assert_eq!(sink.writes(), [5, 1]);
}

#[tokio::test]
async fn a_failed_write_fails_all_who_waited_for_it() {
    let (sink, audit) = sink();
    sink.broken.store(true, Ordering::Relaxed);
    assert!(five(&audit).await.iter().all(Result::is_err));
    sink.broken.store(false, Ordering::Relaxed);
    record(&audit, event()).await.unwrap();
    assert_eq!(sink.writes(), [1]);
}

#[tokio::test]
async fn the_others_are_written_when_the_leader_goes_away() {
    let (sink, audit) = sink();
    let Place::Leading(lead) = join(&audit, event()) else { panic!("the first leads") };
    let Place::Following(written) = join(&audit, event()) else { panic!("the second follows") };
    drop(lead);
    written.await.unwrap().unwrap();
    assert_eq!(sink.writes(), [2]);
}

#[tokio::test]
async fn a_follower_that_goes_away_is_written_all_the_same() {
    let (sink, audit) = sink();
    let Place::Leading(lead) = join(&audit, event()) else { panic!("the first leads") };
    drop(join(&audit, event()));
    lead.0.write().unwrap();
    assert_eq!(sink.writes(), [2]);
}

#[tokio::test]
async fn two_logs_are_two_turns() {
    let ((one, first), (two, second)) = (sink(), sink());
    let (a, b) = tokio::join!(record(&first, event()), record(&second, event()));
    assert!(a.is_ok() && b.is_ok());
    assert_eq!((one.writes(), two.writes()), (vec![1], vec![1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_when_calls_move_between_threads() {
    let (sink, audit) = sink();
    let mut calls = JoinSet::new();
    for _ in 0..500 {
        let audit = Arc::clone(&audit);
        calls.spawn(async move { record(&audit, event()).await });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    assert_eq!(sink.writes().iter().sum::<usize>(), 500);
}

/// Writes nothing before it is told to, as a disk that is busy.
#[derive(Debug)]
struct Held {
    begun: Mutex<Option<oneshot::Sender<()>>>,
    release: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl AuditSink for Held {
    fn record(&self, _: &AuditEvent) -> Result<(), AuditUnavailable> {
        if let Some(begun) = self.begun.lock().unwrap().take() {
            begun.send(()).unwrap();
        }
        self.release.lock().unwrap().recv().map_err(|_| AuditUnavailable { reason: "nobody released it".to_owned() })
    }

    fn waits(&self) -> bool {
        true
    }

    fn ready(&self) -> Result<(), AuditUnavailable> {
        Ok(())
    }
}

#[tokio::test]
async fn another_call_of_the_thread_goes_on_while_the_disk_confirms_a_write_d15() {
    let ((begun, has_begun), (release, released)) = (oneshot::channel(), std::sync::mpsc::channel());
    let audit: Arc<dyn AuditSink> = Arc::new(Held { begun: Mutex::new(Some(begun)), release: Mutex::new(released) });
    let another = async {
        has_begun.await.unwrap();
        release.send(()).unwrap();
    };
    // Only this other task releases the disk.
    let recorder = Recorder::new(&audit);
    let (written, ()) = tokio::join!(recorder.together(event()), another);
    written.unwrap();
}
