//! kill -9 at any moment: what was acknowledged is there, what is there is whole, and the chain verifies.
//!
//! The parent starts this same program as a writer, kills it after a random number of acknowledgements, and looks at what it left.
//! The next writer goes on in the same folder, as a restarted system does. It has no test harness of its own, because the harness
//! would not let a test choose the arguments of the writer; it speaks the little of the harness's language that runners need.

#![expect(clippy::disallowed_methods, reason = "this test is the composition")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyless_audit::{AuditEvent, AuditSink, Category, Outcome};
use keyless_model::entity::{Entity, Mutation, Tenant};
use keyless_model::{Actor, Clock, Entropy, OpContext, RequestId, TenantId, Timestamp};
use keyless_rbac::SystemRight;
use keyless_store::audit_log::{AuditLog, AuditLogOptions, AuditReader, Durability, Filter, Order, StartKey};
use keyless_store::{Change, Directory, MasterKey, Snapshot, Store};
use keyless_store_sqlite::SqliteStore;

const NAME: &str = "nothing_acknowledged_is_lost_when_the_process_is_killed_at_any_moment";
const KILLS: u64 = 40;
/// Small, so that kills meet the change from one segment to the next.
const SEGMENT_BYTES: u64 = 16 << 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    if let [word, folder, round] = arguments.as_slice()
        && word == "writer"
    {
        write_until_killed(Path::new(folder), round.parse().expect("a number"));
    } else if has("--list") {
        if !has("--ignored") {
            say(&format!("{NAME}: test"));
        }
    } else if !has("--ignored") {
        kill_again_and_again();
        say(&format!("test {NAME} ... ok"));
    }
}

// --- the writer ---

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(1_795_219_200)
    }
}

/// Unique numbers, not random ones.
#[derive(Debug)]
struct Numbers(AtomicU64);

impl Entropy for Numbers {
    fn fill(&self, buffer: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        buffer.iter_mut().zip(next.into_iter().cycle()).for_each(|(byte, next)| *byte = next);
    }
}

struct Paths {
    database: PathBuf,
    audit: PathBuf,
}

fn paths(folder: &Path) -> Paths {
    Paths { database: folder.join("state.db"), audit: folder.join("audit") }
}

fn context(round: u64, number: u64) -> OpContext {
    OpContext::new(RequestId::from_u128(u128::from(round) << 64 | u128::from(number)), Fixed.now(), Actor::System("kill test"))
}

fn open_audit(folder: &Path, round: u64) -> AuditLog {
    let options = AuditLogOptions { durability: Durability::Written, segment_bytes: SEGMENT_BYTES };
    let key = StartKey::of(&MasterKey::from_bytes([1; 32]).sealer());
    AuditLog::open(&paths(folder).audit, options, &key, Arc::new(Fixed), Arc::new(Numbers((round << 32).into()))).expect("the log opens")
}

/// What a starting system does: open, compare the anchor, write what the log lacks.
async fn recover(folder: &Path, round: u64) -> (Arc<SqliteStore>, Arc<AuditLog>, u64) {
    let ctx = context(round, 0);
    let store = Arc::new(SqliteStore::open(&paths(folder).database).expect("the database opens"));
    let log = Arc::new(open_audit(folder, round));
    if let Some(anchor) = store.audit_anchor(&ctx).await.expect("the store answers") {
        log.check(anchor).expect("the log holds what the store remembers");
    }
    let pending = store.pending_audit(&ctx).await.expect("the store answers");
    let audited = log.ensure(&pending).expect("the log takes what it lacks");
    (store, log, audited)
}

fn write_until_killed(folder: &Path, round: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (store, log, audited) = recover(folder, round).await;
        let directory = Directory::open(store, Arc::clone(&log) as Arc<dyn AuditSink>, &context(round, 0)).await.expect("it loads");
        directory.audited_up_to(audited);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(Arc::clone(&log).run(std::future::pending()));
        let mut lanes = Vec::new();
        for lane in 1..=2_u64 {
            let log = Arc::clone(&log);
            let (go, wait) = std::sync::mpsc::channel::<()>();
            lanes.push(go);
            let record = move || {
                // Two calls per change and lane, so that neither kind crowds out the other.
                for number in (0..).take_while(|number| number % 2 == 0 || wait.recv().is_ok()) {
                    let event = AuditEvent::new(&context(round, lane << 40 | number), Category::Data, "Call", Outcome::Allowed);
                    log.record(&event).expect("the log takes an event");
                    say(&format!("call {}", event.request_id));
                }
            };
            tasks.spawn_blocking(record);
        }
        for number in 1.. {
            let ctx = context(round, number);
            let (committed, ()) =
                directory.update(&ctx, &SystemRight::claim().permit("kill test"), |base| plan(&ctx, base)).await.expect("it commits");
            say(&format!("change {} {}", committed.revision.0, ctx.request_id));
            lanes.iter().for_each(|go| _ = go.send(()));
            if number % 7 == 0 {
                directory.settle_audit(&ctx).await.expect("it settles");
            }
        }
    });
}

/// Each revision leaves one document of its number, and moves one that is there from the start.
fn plan(ctx: &OpContext, base: &Snapshot) -> Result<Change, std::convert::Infallible> {
    let next = base.revision().0 + 1;
    let tenant = |id: u64| Tenant {
        id: TenantId::from_u128(id.into()),
        display_name: next.to_string(),
        domain: format!("t{id}.test"),
        created: ctx.now,
    };
    let event = AuditEvent::new(ctx, Category::Control, "Change", Outcome::Allowed);
    Ok(Change::new(vec![Mutation::put(tenant(0)), Mutation::put(tenant(next))], event))
}

/// A line in one write, so that a kill cannot tear it. Whoever stopped listening is told nothing.
fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    _ = out.write_all(format!("{what}\n").as_bytes()).and_then(|()| out.flush());
}

// --- the parent ---

/// What writers said they had done.
#[derive(Default)]
struct Acknowledged {
    calls: BTreeSet<String>,
    /// Revision to request id.
    changes: BTreeMap<u64, String>,
}

fn kill_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = Acknowledged::default();
    let mut seed = u64::from(std::process::id());
    say(&format!("seed {seed}"));
    for round in 1..=KILLS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let patience = usize::try_from(seed >> 33).expect("31 bits fit") % 80;
        let writer = Command::new(std::env::current_exe().expect("this program has a path"))
            .arg("writer")
            .arg(folder.path())
            .arg(round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the writer starts");
        listen_then_kill(writer, patience, &mut acknowledged);
        check(folder.path(), round, &acknowledged);
    }
    assert!(acknowledged.calls.len() > 500 && acknowledged.changes.len() > 150, "the writers hardly did anything");
    say(&format!("{KILLS} kills, {} calls and {} changes acknowledged", acknowledged.calls.len(), acknowledged.changes.len()));
}

/// Takes `patience` acknowledgements, kills, and takes those that were on their way.
fn listen_then_kill(mut writer: Child, patience: usize, acknowledged: &mut Acknowledged) {
    let mut lines = BufReader::new(writer.stdout.take().expect("it is piped")).lines();
    for line in lines.by_ref().take(patience) {
        note(&line.expect("a whole line"), acknowledged);
    }
    writer.kill().expect("it is killed");
    for line in lines {
        note(&line.expect("a whole line"), acknowledged);
    }
    let status = writer.wait().expect("it ends");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "the writer ended by itself: {status}");
}

fn note(line: &str, acknowledged: &mut Acknowledged) {
    match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["call", id] => assert!(acknowledged.calls.insert((*id).to_owned())),
        ["change", revision, id] => {
            let before = acknowledged.changes.insert(revision.parse().expect("a number"), (*id).to_owned());
            assert_eq!(before, None, "revision {revision} was acknowledged twice");
        }
        _ => panic!("the writer said `{line}`"),
    }
}

fn check(folder: &Path, round: u64, acknowledged: &Acknowledged) {
    let reader = AuditReader::open(&paths(folder).audit);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Before anything is repaired: no acknowledged call is missing.
    let recorded: BTreeSet<String> = match &reader {
        Ok(reader) => calls(reader).map(|(id, _)| id).collect(),
        // Killed before the folder was made.
        Err(_) => BTreeSet::new(),
    };
    let lost: Vec<_> = acknowledged.calls.difference(&recorded).collect();
    assert!(lost.is_empty(), "round {round}: acknowledged calls are not in the log: {lost:?}");

    let (loaded, anchor) = runtime.block_on(async {
        let (store, _log, _) = recover(folder, round + KILLS).await;
        let ctx = context(round, 0);
        (store.load(&ctx).await.expect("it loads"), store.audit_anchor(&ctx).await.expect("it answers"))
    });
    let reader = AuditReader::open(&paths(folder).audit).expect("the folder is there");
    reader.verify(anchor).unwrap_or_else(|broken| panic!("round {round}: {broken}"));

    // The state is exactly that of its revision: each commit whole or absent, none missing.
    let revision = loaded.revision.0;
    assert!(acknowledged.changes.keys().all(|acked| *acked <= revision), "round {round}: an acknowledged change is not in the database");
    let names: BTreeMap<String, String> = loaded.entities.into_iter().map(name).collect();
    let expected = (0..=revision).map(|n| (TenantId::from_u128(n.into()).to_string(), if n == 0 { revision } else { n }.to_string()));
    assert_eq!(names, expected.filter(|_| revision > 0).collect(), "round {round}");

    // Every change has its event, once, and in order.
    let changes: Vec<(String, u64)> = calls(&reader).filter_map(|(id, revision)| Some((id, revision?))).collect();
    assert_eq!(changes.iter().map(|(_, revision)| *revision).collect::<Vec<_>>(), (1..=revision).collect::<Vec<_>>(), "round {round}");
    assert!(acknowledged.changes.iter().all(|(revision, id)| changes.iter().any(|change| *change == (id.clone(), *revision))));
}

/// Request id and revision of every event.
fn calls(reader: &AuditReader) -> impl Iterator<Item = (String, Option<u64>)> {
    let events = reader.events(Order::OldestFirst, Filter::default()).expect("the log is readable");
    events.map(|entry| entry.map(|entry| (entry.event.request_id.to_string(), entry.event.revision)).expect("the line is whole"))
}

fn name(entity: Entity) -> (String, String) {
    match entity {
        Entity::Tenant(tenant) => (tenant.id.to_string(), tenant.display_name),
        other => panic!("nobody wrote {other:?}"),
    }
}
