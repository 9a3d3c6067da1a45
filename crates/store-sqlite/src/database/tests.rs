use keyless_audit::{AuditEvent, Category, Hash, Outcome};
use keyless_model::entity::{Mutation, Tenant};
use keyless_model::{Actor, OpContext, RequestId, TenantId, Timestamp};

use super::*;

fn commit(expected: u64, text: usize) -> Commit {
    let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::default(), Actor::System("test"));
    let tenant = Tenant { id: TenantId::from_u128(1), display_name: "x".repeat(text), domain: "t.test".into(), created: ctx.now };
    Commit {
        expected: Revision(expected),
        mutations: vec![Mutation::put(tenant)],
        event: AuditEvent::new(&ctx, Category::Control, "Change", Outcome::Allowed),
        audited_up_to: 0,
        anchor: None,
    }
}

#[test]
fn a_full_disk_refuses_the_commit_whole_and_takes_the_next_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = Database::open(&folder.path().join("state.db")).unwrap();
    database.commit(&commit(0, 10)).unwrap();
    let pages: u32 = database.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    database.connection.pragma_update(None, "max_page_count", pages + 2).unwrap();
    let error = database.commit(&commit(1, 1 << 20)).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("full"), "{source}");
    let loaded = read::load(&mut database.connection).unwrap();
    assert_eq!((loaded.revision, loaded.entities.len()), (Revision(1), 1));
    database.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    database.commit(&commit(1, 1 << 20)).unwrap();
}

#[test]
fn after_an_unconfirmed_write_nothing_more_is_written() {
    let mut database = Database::in_memory().unwrap();
    database.commit(&commit(0, 1)).unwrap();
    // Other failures are over when they are over.
    for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_IOERR_WRITE] {
        _ = database.write_failed(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        database.certain().unwrap();
    }
    for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC] {
        let mut database = Database::in_memory().unwrap();
        _ = database.write_failed(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!(matches!(database.commit(&commit(0, 1)), Err(StoreError::Unavailable(_))));
        let anchor = Anchor { sequence: 1, hash: Hash::of(b"") };
        assert!(matches!(database.note_audited(0, Some(anchor)), Err(StoreError::Unavailable(_))));
        assert_eq!(read::revision(&database.connection).unwrap(), Revision(0), "reading goes on");
    }
}

#[test]
fn a_commit_is_on_disk_when_it_returns() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("state.db")).unwrap();
    let pragma = |name| database.connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!((pragma("synchronous"), pragma("foreign_keys"), pragma("trusted_schema")), (2, 1, 0));
}
