//! The log on a real folder, with a disk that fails when told to.

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use keyless_audit::DataDetail;
use keyless_model::{ObjectId, Scope, TenantId, Timestamp};
use tokio::sync::mpsc;

use super::medium::Medium;
use super::*;
use crate::MasterKey;

mod faults;
mod outbox;
mod pruning;
mod reading;
mod recent;
mod recovery;
mod unreadable;
mod walking;

fn key(byte: u8) -> StartKey {
    StartKey::of(&MasterKey::from_bytes([byte; 32]).sealer())
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(1_795_219_200)
    }
}

#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        buffer.iter_mut().zip(next.into_iter().cycle()).for_each(|(byte, next)| *byte = next);
    }
}

/// A disk with switches.
#[derive(Debug)]
struct Disk {
    full: AtomicBool,
    sync_fails: AtomicBool,
    syncs: AtomicU64,
    /// A sync takes until this is used or dropped.
    slow: Mutex<Option<std::sync::mpsc::Receiver<()>>>,
    /// Told of every sync that worked.
    synced: mpsc::UnboundedSender<()>,
}

#[derive(Debug)]
struct Faulty {
    file: File,
    disk: Arc<Disk>,
}

impl Medium for Faulty {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.disk.full.load(Ordering::SeqCst) {
            // As real disks do: what fits is written, then the call fails.
            self.file.write_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.file.write_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        if self.disk.sync_fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("input/output error"));
        }
        let slow = self.disk.slow.lock().unwrap().take();
        _ = slow.map(|until| until.recv());
        self.file.sync()?;
        self.disk.syncs.fetch_add(1, Ordering::SeqCst);
        _ = self.disk.synced.send(());
        Ok(())
    }
}

/// A log in a folder that lives as long as this.
struct Bench {
    folder: tempfile::TempDir,
    disk: Arc<Disk>,
    synced: mpsc::UnboundedReceiver<()>,
    options: AuditLogOptions,
}

impl Bench {
    fn new(options: AuditLogOptions) -> Self {
        let (sender, synced) = mpsc::unbounded_channel();
        let disk = Disk { full: false.into(), sync_fails: false.into(), syncs: 0.into(), slow: Mutex::new(None), synced: sender };
        Self { folder: tempfile::tempdir().unwrap(), disk: Arc::new(disk), synced, options }
    }

    fn plain() -> Self {
        Self::new(AuditLogOptions::default())
    }

    /// Segments of a few events each.
    fn small() -> Self {
        Self::new(AuditLogOptions { segment_bytes: 2000, ..AuditLogOptions::default() })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("audit")
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.path().join(format!("{number:06}.jsonl"))
    }

    fn try_open(&self) -> Result<AuditLog, AuditLogError> {
        let disk = Arc::clone(&self.disk);
        let wrap: Wrap = Box::new(move |file| Arc::new(Faulty { file, disk: Arc::clone(&disk) }));
        AuditLog::open_on(&self.path(), self.options, &key(1), Arc::new(Still), Arc::new(Counting::default()), wrap)
    }

    fn open(&self) -> AuditLog {
        self.try_open().unwrap()
    }

    fn reader(&self) -> AuditReader {
        AuditReader::open(&self.path()).unwrap()
    }

    fn events(&self) -> Vec<AuditEvent> {
        let events = self.reader().events(Order::OldestFirst, Filter::default()).unwrap();
        events.map(|entry| entry.unwrap().event).collect()
    }

    fn operations(&self) -> Vec<String> {
        self.events().into_iter().map(|event| event.operation.into_owned()).collect()
    }
}

const ACCOUNT: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai";

/// A model call, told apart by its request id.
fn event(n: u64) -> AuditEvent {
    let actor = Actor::Principal { id: ObjectId::from_u128(u128::from(n % 3)), tenant: TenantId::from_u128(1), client_id: None };
    let ctx = OpContext::new(RequestId::from_u128(n.into()), Timestamp::from_unix_secs(i64::try_from(n).unwrap()), actor);
    AuditEvent {
        target: Some(ACCOUNT.parse::<Scope>().unwrap()),
        data: Some(DataDetail { api: "ChatCompletions_Create".into(), deployment: Some("chat".into()), ..DataDetail::default() }),
        ..AuditEvent::new(&ctx, Category::Data, format!("Op{n}"), Outcome::Allowed)
    }
}

#[test]
fn an_event_is_in_the_file_when_record_returns() {
    let bench = Bench::plain();
    let log = bench.open();
    for n in 1..=3 {
        log.record(&event(n)).unwrap();
        assert_eq!(bench.events().last(), Some(&event(n)));
    }
    assert_eq!(log.head().sequence, 3);
    assert_eq!(bench.reader().verify([log.head()]).unwrap().events, 3);
}

#[test]
fn folder_and_files_are_private() {
    let bench = Bench::plain();
    let _log = bench.open();
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(bench.path()), mode(bench.segment(1))), (0o700, 0o600));
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let bench = Bench::plain();
    let log = bench.open();
    let refused = bench.try_open().map(drop).unwrap_err();
    let told = format!("another keyless process (process {}); stop", std::process::id());
    assert!(matches!(refused, AuditLogError::InUse { .. }) && refused.to_string().contains(&told), "{refused}");
    drop(log);
    assert!(bench.try_open().is_ok());
}

#[test]
fn segments_follow_each_other_and_verify_as_one_chain() {
    let bench = Bench::small();
    for round in 0..3 {
        let log = bench.open();
        for n in 1..=10 {
            log.record(&event(round * 10 + n)).unwrap();
        }
    }
    assert!(bench.segment(3).exists());
    let report = bench.reader().verify([]).unwrap();
    assert!(report.segments >= 3);
    assert_eq!((report.events, report.head.sequence), (30, 30));
    assert_eq!(bench.operations(), (1..=30).map(|n| format!("Op{n}")).collect::<Vec<_>>());
}

#[test]
fn many_threads_write_one_chain() {
    let bench = Bench::new(AuditLogOptions { segment_bytes: 20_000, ..AuditLogOptions::default() });
    let log = bench.open();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let log = &log;
            scope.spawn(move || (0..50).for_each(|n| log.record(&event(thread * 50 + n)).unwrap()));
        }
    });
    assert_eq!(bench.reader().verify([log.head()]).unwrap().events, 400);
    let mut seen: Vec<_> = bench.events().into_iter().map(|event| event.request_id).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..400).map(RequestId::from_u128).collect::<Vec<_>>());
}
