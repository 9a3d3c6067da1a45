//! The file itself: who may open it, what is refused, and what a crash leaves.

#![expect(clippy::unwrap_used, reason = "the lint knows tests by their attribute; the helpers here are tests too")]

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use keyless_audit::{Anchor, AuditEvent, Category, Hash, Outcome};
use keyless_model::entity::{EntityKind, Mutation, Tenant};
use keyless_model::{Actor, OpContext, RequestId, TenantId, Timestamp};
use keyless_store::{Commit, Revision, Store as _, StoreError};
use keyless_store_sqlite::{OpenError, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state.db")
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.file()).unwrap()
    }

    fn refused(&self) -> OpenError {
        SqliteStore::open(&self.file()).unwrap_err()
    }

    /// Another program that writes into the file.
    fn sql(&self, statements: &str) {
        Connection::open(self.file()).unwrap().execute_batch(statements).unwrap();
    }
}

fn ctx() -> OpContext {
    OpContext::new(RequestId::from_u128(1), Timestamp::default(), Actor::System("test"))
}

fn tenant(n: u128) -> Tenant {
    Tenant { id: TenantId::from_u128(n), display_name: "x".repeat(200), domain: format!("t{n}.test"), created: Timestamp::default() }
}

fn commit(expected: u64, tenants: std::ops::Range<u128>) -> Commit {
    Commit {
        expected: Revision(expected),
        mutations: tenants.map(|n| Mutation::put(tenant(n))).collect(),
        event: AuditEvent::new(&ctx(), Category::Control, "Change", Outcome::Allowed),
        audited_up_to: 0,
        anchor: None,
    }
}

async fn filled(place: &Place) -> SqliteStore {
    let store = place.open();
    store.commit(&ctx(), commit(0, 0..200)).await.unwrap();
    store
}

#[tokio::test]
async fn only_the_owner_can_read_the_file_and_its_companions() {
    let place = Place::new();
    let store = filled(&place).await;
    for name in ["state.db", "state.db-wal", "state.db-shm", "state.db.lock"] {
        let mode = fs::metadata(place.0.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(store);
    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o644)).unwrap();
    drop(place.open());
    assert_eq!(fs::metadata(place.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_second_process_is_refused_with_the_id_of_the_first_until_that_has_closed_u18() {
    let place = Place::new();
    let first = place.open();
    let refused = place.refused();
    assert!(matches!(&refused, OpenError::InUse { folder, .. } if folder == place.0.path()), "{refused}");
    assert!(refused.to_string().contains(&format!("another keyless process (process {}); stop", std::process::id())), "{refused}");
    first.close();
    drop(place.open());
}

#[tokio::test]
async fn a_closed_store_answers_that_it_is_closed() {
    let place = Place::new();
    let store = filled(&place).await;
    store.close();
    assert!(matches!(store.load(&ctx()).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.commit(&ctx(), commit(1, 0..1)).await, Err(StoreError::Unavailable(_))));
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_not_touched() {
    let place = Place::new();
    drop(place.open());
    place.sql("PRAGMA user_version = 99");
    assert!(matches!(place.refused(), OpenError::Store(StoreError::Schema { found: 99, .. })));
    place.sql("PRAGMA user_version = 2");
    drop(place.open());
}

#[test]
fn a_file_of_another_program_is_refused_and_not_touched() {
    let place = Place::new();
    place.sql("CREATE TABLE theirs (x); PRAGMA user_version = 7");
    assert!(matches!(place.refused(), OpenError::Damaged { .. }));
    place.sql("INSERT INTO theirs VALUES (1)");
}

#[test]
fn what_is_no_database_is_refused_with_one_clear_line() {
    let place = Place::new();
    fs::write(place.file(), "not a database, and longer than the header of one".repeat(100)).unwrap();
    let refused = place.refused().to_string();
    assert!(refused.contains("state.db is damaged or not a keyless database") && refused.contains("backup"), "{refused}");
    assert!(!refused.contains('\n'));
}

#[tokio::test]
async fn a_damaged_page_is_refused_at_start() {
    let place = Place::new();
    drop(filled(&place).await);
    let whole = fs::read(place.file()).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 8, "{pages} pages are too few for this test");
    let mut refused = 0;
    for page in 1..pages {
        fs::write(place.file(), &whole).unwrap();
        let mut file = fs::OpenOptions::new().write(true).open(place.file()).unwrap();
        file.seek(SeekFrom::Start(page as u64 * 4096)).unwrap();
        file.write_all(&[0xA5; 4096]).unwrap();
        drop(file);
        match SqliteStore::open(&place.file()) {
            Err(OpenError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("page {page}: {other}"),
            // The page holds nothing that is in use.
            Ok(store) => assert_eq!(store.load(&ctx()).await.unwrap().entities.len(), 200, "page {page}"),
        }
    }
    assert!(refused > pages / 2, "{refused} of {pages} damaged pages were noticed");
}

#[tokio::test]
async fn a_truncated_file_is_refused_at_start() {
    let place = Place::new();
    drop(filled(&place).await);
    let whole = fs::read(place.file()).unwrap();
    fs::write(place.file(), &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(place.refused(), OpenError::Damaged { .. }));
}

#[tokio::test]
async fn a_document_that_makes_no_sense_is_named() {
    let place = Place::new();
    drop(filled(&place).await);
    let id = TenantId::from_u128(3).to_string();
    place.sql(&format!("UPDATE documents SET body = '{{\"kind\":\"tenant\"' WHERE id = '{id}'"));
    let unreadable = place.open().load(&ctx()).await.unwrap().unreadable;
    assert_eq!(unreadable.len(), 1);
    assert_eq!((unreadable[0].key.kind, &unreadable[0].key.id), (EntityKind::Tenant, &id));
}

#[tokio::test]
async fn a_document_filed_under_another_key_is_not_loaded() {
    let place = Place::new();
    drop(filled(&place).await);
    let (one, two) = (TenantId::from_u128(1), TenantId::from_u128(2));
    place.sql(&format!("UPDATE documents SET body = (SELECT body FROM documents WHERE id = '{one}') WHERE id = '{two}'"));
    let loaded = place.open().load(&ctx()).await.unwrap();
    assert_eq!(loaded.unreadable.iter().map(|found| found.key.id.clone()).collect::<Vec<_>>(), [two.to_string()]);
    assert!(loaded.entities.iter().filter(|entity| entity.key().id == one.to_string()).count() == 1, "nor twice");
}

#[tokio::test]
async fn a_document_of_a_kind_that_nobody_knows_is_not_passed_over() {
    let place = Place::new();
    drop(filled(&place).await);
    place.sql("INSERT INTO documents VALUES ('unicorn', 'u', '{}', 1)");
    assert!(place.open().load(&ctx()).await.is_err());
}

#[tokio::test]
async fn a_commit_that_fails_in_its_last_step_changes_nothing() {
    for step in ["INSERT ON outbox", "UPDATE ON state", "INSERT ON changes"] {
        let place = Place::new();
        drop(filled(&place).await);
        place.sql(&format!("CREATE TRIGGER broken BEFORE {step} BEGIN SELECT RAISE(ABORT, 'no'); END"));
        let store = place.open();
        let refused = store.commit(&ctx(), commit(1, 500..510)).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{step}: {refused:?}");
        let loaded = store.load(&ctx()).await.unwrap();
        let events = store.pending_audit(&ctx()).await.unwrap().len();
        assert_eq!((loaded.revision, loaded.entities.len(), events), (Revision(1), 200, 1), "{step}");
        assert_eq!(store.changes_since(&ctx(), Revision(1)).await.unwrap(), Some((Revision(1), vec![])), "{step}");
        drop(store);
        place.sql("DROP TRIGGER broken");
        place.open().commit(&ctx(), commit(1, 500..510)).await.unwrap();
    }
}

/// What a process leaves that is killed in the middle of a transaction, with a part of it in the write-ahead log already.
#[tokio::test]
async fn a_transaction_that_was_never_finished_is_not_there_after_a_crash() {
    let place = Place::new();
    drop(filled(&place).await);
    let crashed = Place::new();
    {
        let connection = Connection::open(place.file()).unwrap();
        connection
            .execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE documents SET body = 'half'; UPDATE state SET revision = 9;")
            .unwrap();
        let spilled = fs::metadata(place.0.path().join("state.db-wal")).unwrap().len();
        assert!(spilled > 4096, "nothing was spilled, so nothing is tested");
        for name in ["state.db", "state.db-wal"] {
            fs::copy(place.0.path().join(name), crashed.0.path().join(name)).unwrap();
        }
    }
    let loaded = crashed.open().load(&ctx()).await.unwrap();
    assert_eq!((loaded.revision, loaded.entities.len()), (Revision(1), 200));
}

/// A commit is in the write-ahead log when it is acknowledged, and a crash before the checkpoint loses nothing.
#[tokio::test]
async fn a_commit_that_only_the_write_ahead_log_holds_survives_a_crash() {
    let place = Place::new();
    let store = filled(&place).await;
    let crashed = Place::new();
    for name in ["state.db", "state.db-wal"] {
        fs::copy(place.0.path().join(name), crashed.0.path().join(name)).unwrap();
    }
    assert_eq!(crashed.open().load(&ctx()).await.unwrap().entities.len(), 200);
    drop(store);
}

#[tokio::test]
async fn the_anchor_can_be_read_while_the_store_is_open() {
    let place = Place::new();
    let store = place.open();
    let anchor = Anchor { sequence: 5, hash: Hash::of(b"line") };
    assert_eq!(SqliteStore::peek_audit_anchor(&place.file()).unwrap(), None);
    store.note_audited(&ctx(), 0, Some(anchor)).await.unwrap();
    assert_eq!(SqliteStore::peek_audit_anchor(&place.file()).unwrap(), Some(anchor));
    drop(store);
    assert_eq!(SqliteStore::peek_audit_anchor(&place.file()).unwrap(), Some(anchor));
    assert!(SqliteStore::peek_audit_anchor(Path::new("/nonexistent/state.db")).is_err());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = SqliteStore::open(Path::new("/nonexistent/state.db")).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/state.db"), "{error}");
}
