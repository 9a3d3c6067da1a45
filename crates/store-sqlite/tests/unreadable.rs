//! Documents that cannot be read at a start: gone on without where that takes rights away only, refused where it could give some.

#![expect(clippy::unwrap_used, reason = "the lint knows tests by their attribute; the helpers here are tests too")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use keyless_audit::{AuditEvent, AuditSink, AuditUnavailable, Category};
use keyless_model::entity::EntityKind;
use keyless_model::{Actor, OpContext, RequestId, Timestamp};
use keyless_store::{Directory, StoreError};
use keyless_store_sqlite::SqliteStore;

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<AuditEvent>>);

impl AuditSink for Kept {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }

    fn ready(&self) -> Result<(), AuditUnavailable> {
        Ok(())
    }
}

/// A database with one document of each of these kinds that cannot be read.
fn damaged(folder: &Path, kinds: &[EntityKind]) {
    let path = folder.join("state.db");
    drop(SqliteStore::open(&path).unwrap());
    let database = rusqlite::Connection::open(&path).unwrap();
    for kind in kinds {
        let body = format!(r#"{{"kind":"{}","body":{}}}"#, kind.as_str(), "[".repeat(200) + &"]".repeat(200));
        let row = rusqlite::params![kind.as_str(), "one", body, 1];
        database.execute("INSERT INTO documents (kind, id, body, revision) VALUES (?1, ?2, ?3, ?4)", row).unwrap();
    }
}

async fn start(folder: &Path, without: &[&str]) -> Result<Vec<AuditEvent>, StoreError> {
    let audit = Arc::new(Kept::default());
    let store = Arc::new(SqliteStore::open(&folder.join("state.db")).unwrap());
    let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::default(), Actor::System("test"));
    let without = without.iter().map(|name| (*name).to_owned()).collect();
    Directory::open_without(store, Arc::clone(&audit) as _, &ctx, without).await?;
    let events = std::mem::take(&mut *audit.0.lock().unwrap());
    Ok(events)
}

fn documents(folder: &Path) -> u32 {
    let database = rusqlite::Connection::open(folder.join("state.db")).unwrap();
    database.query_row("SELECT count(*) FROM documents", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_start_goes_on_without_what_only_grants_and_says_so_d1() {
    let folder = tempfile::tempdir().unwrap();
    damaged(folder.path(), &[EntityKind::GenericResource, EntityKind::FederatedCredential]);
    let events = start(folder.path(), &[]).await.unwrap();
    assert_eq!(events.len(), 2);
    let told = &events[0];
    assert_eq!((told.category, told.operation.as_ref()), (Category::System, "System_DocumentSetAside"));
    assert!(told.decision.as_ref().unwrap().because.contains("/one cannot be read"), "{told:?}");
    assert_eq!(documents(folder.path()), 2, "nothing is lost");
}

#[tokio::test]
async fn a_start_is_refused_when_the_absence_of_a_document_could_give_rights_d1() {
    use EntityKind::{
        Account, DenyAssignment, Group, Lock, ManagementGroup, Principal, RoleAssignment, SigningKey, Subscription, Tenant, User,
    };
    for kind in [Account, DenyAssignment, Group, Lock, ManagementGroup, Principal, RoleAssignment, SigningKey, Subscription, Tenant, User] {
        let folder = tempfile::tempdir().unwrap();
        damaged(folder.path(), &[kind, EntityKind::GenericResource]);
        let refused = start(folder.path(), &[]).await.unwrap_err();
        let name = format!("{}/one", kind.as_str());
        assert!(matches!(&refused, StoreError::Corrupt { key, .. } if key.kind == kind), "{refused:?}");
        assert!(refused.to_string().contains(&format!("--without {name}")), "{refused}");
        assert!(start(folder.path(), &["lock/another"]).await.is_err());
        assert_eq!(start(folder.path(), &[&name]).await.unwrap().len(), 2, "the owner goes on knowingly, and the log says so");
    }
}

#[tokio::test]
async fn a_waiting_event_that_cannot_be_read_ends_no_start_d2() {
    use keyless_store::Store as _;
    let folder = tempfile::tempdir().unwrap();
    damaged(folder.path(), &[]);
    let database = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    let deep = "[".repeat(200) + &"]".repeat(200);
    let event = format!(
        r#"{{"time":5,"requestId":"00000000-0000-0000-0000-000000000007","category":"control","operation":"X/write","outcome":"allowed","actor":{{"kind":"anonymous"}},"revision":3,"control":{{"after":{deep}}}}}"#
    );
    database.execute("INSERT INTO outbox (event) VALUES (?1)", [event]).unwrap();
    drop(database);
    let store = SqliteStore::open(&folder.path().join("state.db")).unwrap();
    let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::default(), Actor::System("test"));
    let pending = store.pending_audit(&ctx).await.unwrap();
    let event = &pending[0].event;
    assert_eq!((event.operation.as_ref(), event.revision, event.request_id), ("X/write", Some(3), RequestId::from_u128(7)));
    assert!(event.decision.as_ref().unwrap().because.contains("cannot read"));
}
