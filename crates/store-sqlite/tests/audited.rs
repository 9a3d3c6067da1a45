//! Directory, database and audit log together: an event leaves the outbox only when its line is on disk.

#![expect(clippy::unwrap_used, reason = "the lint knows tests by their attribute; the helpers here are tests too")]
#![expect(clippy::disallowed_methods, reason = "these tests are the composition")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use keyless_audit::{Anchor, AuditEvent, AuditSink, AuditUnavailable, Category, Outcome};
use keyless_model::entity::{Mutation, Tenant};
use keyless_model::{Actor, Clock, Entropy, OpContext, RequestId, TenantId, Timestamp};
use keyless_rbac::SystemRight;
use keyless_store::audit_log::{AuditLog, AuditLogOptions, AuditReader, Filter, Order, StartKey};
use keyless_store::{Change, Directory, MasterKey, Store, UpdateError};
use keyless_store_sqlite::SqliteStore;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(1_795_219_200)
    }
}

#[derive(Debug, Default)]
struct Numbers(AtomicU64);

impl Entropy for Numbers {
    fn fill(&self, buffer: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        buffer.iter_mut().zip(next.into_iter().cycle()).for_each(|(byte, next)| *byte = next);
    }
}

/// The real log, with a switch that makes it lose its disk between `ready` and `record`.
#[derive(Debug)]
struct Moody {
    log: AuditLog,
    refuse: AtomicBool,
}

impl AuditSink for Moody {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        if self.refuse.load(Ordering::SeqCst) {
            return Err(AuditUnavailable { reason: "no space".to_owned() });
        }
        self.log.record(event)
    }

    fn ready(&self) -> Result<(), AuditUnavailable> {
        self.log.ready()
    }

    fn position(&self) -> u64 {
        self.log.position()
    }

    fn anchor(&self) -> Option<Anchor> {
        self.log.anchor()
    }
}

struct System {
    store: Arc<SqliteStore>,
    audit: Arc<Moody>,
    directory: Directory,
}

fn ctx(n: u128) -> OpContext {
    OpContext::new(RequestId::from_u128(n), Fixed.now(), Actor::System("test"))
}

impl System {
    /// Starts as the server does.
    async fn start(folder: &Path) -> Self {
        let store = Arc::new(SqliteStore::open(&folder.join("state.db")).unwrap());
        let key = StartKey::of(&MasterKey::from_bytes([1; 32]).sealer());
        let log =
            AuditLog::open(&folder.join("audit"), AuditLogOptions::default(), &key, Arc::new(Fixed), Arc::new(Numbers::default())).unwrap();
        if let Some(anchor) = store.audit_anchor(&ctx(0)).await.unwrap() {
            log.check(anchor).unwrap();
        }
        let audited = log.ensure(&store.pending_audit(&ctx(0)).await.unwrap()).unwrap();
        let audit = Arc::new(Moody { log, refuse: false.into() });
        let directory = Directory::open(Arc::clone(&store) as _, Arc::clone(&audit) as _, &ctx(0)).await.unwrap();
        directory.audited_up_to(audited);
        Self { store, audit, directory }
    }

    async fn change(&self, n: u128) -> Result<(), UpdateError<()>> {
        let ctx = ctx(n);
        let tenant = Tenant { id: TenantId::from_u128(n), display_name: "t".into(), domain: format!("t{n}.test"), created: ctx.now };
        let event = AuditEvent::new(&ctx, Category::Control, format!("Change{n}"), Outcome::Allowed);
        let plan = |_: &_| Ok(Change::new(vec![Mutation::put(tenant.clone())], event.clone()));
        self.directory.update(&ctx, &SystemRight::claim().permit("test"), plan).await.map(|_| ())
    }

    async fn pending(&self) -> Vec<String> {
        self.store.pending_audit(&ctx(0)).await.unwrap().into_iter().map(|entry| entry.event.operation.into_owned()).collect()
    }
}

fn recorded(folder: &Path) -> Vec<(String, Option<u64>)> {
    let reader = AuditReader::open(&folder.join("audit")).unwrap();
    reader.verify([]).unwrap();
    let events = reader.events(Order::OldestFirst, Filter::default()).unwrap();
    events.map(|entry| entry.unwrap().event).map(|event| (event.operation.into_owned(), event.revision)).collect()
}

#[tokio::test]
async fn an_event_stays_in_the_outbox_until_its_line_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start(folder.path()).await;
    for n in 1..=3 {
        system.change(n).await.unwrap();
    }
    assert_eq!(recorded(folder.path()).len(), 3);
    // Written, but a power failure could still take them.
    assert_eq!(system.pending().await, ["Change1", "Change2", "Change3"]);
    system.audit.log.flush().unwrap();
    system.change(4).await.unwrap();
    assert_eq!(system.pending().await, ["Change4"]);
    system.audit.log.flush().unwrap();
    system.directory.settle_audit(&ctx(0)).await.unwrap();
    assert!(system.pending().await.is_empty());
    assert_eq!(system.store.audit_anchor(&ctx(0)).await.unwrap(), Some(system.audit.log.head()));
}

#[tokio::test]
async fn a_change_that_could_not_be_recorded_is_recorded_before_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start(folder.path()).await;
    system.change(1).await.unwrap();
    system.audit.refuse.store(true, Ordering::SeqCst);
    system.change(2).await.unwrap();
    // From here on nothing is changed until the log takes what waits.
    assert!(matches!(system.change(3).await, Err(UpdateError::Audit(_))));
    assert!(system.directory.settle_audit(&ctx(0)).await.is_err());
    assert_eq!(system.pending().await, ["Change1", "Change2"]);
    system.audit.refuse.store(false, Ordering::SeqCst);
    system.change(4).await.unwrap();
    let expected = [("Change1", 1), ("Change2", 2), ("Change4", 3)].map(|(operation, revision)| (operation.to_owned(), Some(revision)));
    assert_eq!(recorded(folder.path()), expected);
}

#[tokio::test]
async fn a_change_that_could_not_be_recorded_is_recorded_at_the_next_start_once() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start(folder.path()).await;
    system.change(1).await.unwrap();
    system.audit.refuse.store(true, Ordering::SeqCst);
    system.change(2).await.unwrap();
    drop(system);
    let expected = [("Change1", 1), ("Change2", 2)].map(|(operation, revision)| (operation.to_owned(), Some(revision)));
    for _ in 0..3 {
        drop(System::start(folder.path()).await);
        assert_eq!(recorded(folder.path()), expected);
    }
}
