//! Committed changes whose line is missing.

use super::*;
use crate::PendingAudit;
use crate::Revision;

fn change(revision: u64, request: u128) -> PendingAudit {
    let ctx = OpContext::new(RequestId::from_u128(request), Timestamp::default(), Actor::System("test"));
    let event =
        AuditEvent { revision: Some(revision), ..AuditEvent::new(&ctx, Category::Control, format!("Change{revision}"), Outcome::Allowed) };
    PendingAudit { sequence: revision + 100, event }
}

#[test]
fn only_the_changes_that_the_log_lacks_are_written_and_only_once() {
    let bench = Bench::small();
    let log = bench.open();
    // One request made three changes; the process died before the third was recorded.
    let pending: Vec<_> = [(5, 1), (6, 1), (7, 1)].map(|(revision, request)| change(revision, request)).into();
    log.record(&change(4, 1).event).unwrap();
    log.record(&pending[0].event).unwrap();
    (0..20).for_each(|n| log.record(&event(n)).unwrap());
    log.record(&pending[1].event).unwrap();
    (0..20).for_each(|n| log.record(&event(n)).unwrap());
    assert_eq!(log.ensure(&pending).unwrap(), 107);
    assert_eq!(log.ensure(&pending).unwrap(), 107);
    let changes: Vec<_> = bench.operations().into_iter().filter(|operation| operation.starts_with("Change")).collect();
    assert_eq!(changes, ["Change4", "Change5", "Change6", "Change7"]);
    assert_eq!(log.anchor(), Some(log.head()));
    assert_eq!(log.ensure(&[]).unwrap(), 0);
}

#[test]
fn the_same_revision_of_another_request_is_another_change() {
    let bench = Bench::plain();
    let log = bench.open();
    // The database was restored from a backup: revision 5 was made before, by another request.
    log.record(&change(5, 1).event).unwrap();
    log.record(&change(6, 2).event).unwrap();
    log.ensure(&[change(5, 3)]).unwrap();
    assert_eq!(bench.operations(), ["Change5", "Change6", "Change5"]);
}

#[test]
fn a_change_is_not_taken_for_recorded_when_the_log_is_full() {
    let bench = Bench::plain();
    let log = bench.open();
    bench.disk.full.store(true, Ordering::SeqCst);
    assert!(log.ensure(&[change(5, 1)]).is_err());
    bench.disk.full.store(false, Ordering::SeqCst);
    log.ensure(&[change(5, 1)]).unwrap();
    assert_eq!(bench.operations(), ["System_AuditResume", "Change5"]);
}

#[test]
fn a_state_that_is_older_than_the_log_is_found_out() {
    let bench = Bench::small();
    let log = bench.open();
    let change = |n: u64| log.record(&AuditEvent { revision: Some(n), ..event(n) }).unwrap();
    let checked = |kept: Option<Anchor>, revision| log.check_state(kept, Revision(revision)).is_ok();
    assert!(checked(None, 0), "a new database beside a new log");
    (1..=5).for_each(change);
    let kept = log.head();
    (6..=9).for_each(change);
    // Calls after the last change do not hide it.
    (10..=30).for_each(|n| log.record(&event(n)).unwrap());

    assert!(checked(Some(kept), 9) && checked(Some(kept), 10), "a commit may be ahead of its line");
    assert!(!checked(Some(kept), 5) && !checked(Some(kept), 8));
    assert!(!checked(None, 0), "a lost database");
    assert!(checked(Some(log.head()), 5), "what the database noted, it has seen");

    log.accept_older_state(5, 9).unwrap();
    assert!(checked(Some(log.head()), 5));
    change(6);
    assert!(checked(Some(kept), 6) && !checked(Some(kept), 5));
}
