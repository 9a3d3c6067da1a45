//! The directory: changes are whole, ordered, audited, and visible when they are said to be.

use std::sync::Arc;

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_directory::invariant::Violation;
use keyless_directory::invariant::administrators::could_assign_owner;
use keyless_model::entity::{Entity, EntityKey, EntityKind, Lock, LockLevel, Mutation, RefreshFamily, ResourceGroup, Tags};
use keyless_model::{Actor, Clock as _, CredentialId, OpContext, Scope};
use keyless_store::{Change, Snapshot, StoreError, UpdateError};
use keyless_testkit::{SUBSCRIPTION, TestPlatform};

fn group(number: usize) -> ResourceGroup {
    let scope = Scope::subscription(SUBSCRIPTION).join(&format!("resourceGroups/g{number}")).expect("a scope");
    ResourceGroup { scope, location: "local".into(), tags: Tags::new(), created: Default::default() }
}

fn change(ctx: &OpContext, number: usize) -> Change {
    let event = AuditEvent::new(ctx, Category::Control, format!("put g{number}"), Outcome::Allowed);
    Change::new(vec![Mutation::put(group(number))], event)
}

async fn put(test: &TestPlatform, number: usize) -> Result<(), UpdateError<std::convert::Infallible>> {
    let ctx = test.platform.begin(Actor::System("test"));
    test.platform.directory.update(&ctx, &keyless_testkit::system().permit("test"), |_| Ok(change(&ctx, number))).await.map(|_| ())
}

#[tokio::test]
async fn a_change_is_visible_and_audited_when_update_returns() {
    let test = TestPlatform::new().await;
    let before = test.snapshot();
    put(&test, 1).await.expect("it commits");
    let after = test.snapshot();
    assert!(before.resource_group(&group(1).scope).is_none() && after.resource_group(&group(1).scope).is_some());
    assert_eq!(after.revision().0, before.revision().0 + 1);
    let event = test.audit.last();
    assert_eq!(event.operation, "put g1");
    assert!(event.decision.expect("the permit's reason").allowed);
}

#[tokio::test]
async fn concurrent_changes_all_happen_one_after_another() {
    let test = Arc::new(TestPlatform::new().await);
    let first = test.snapshot().revision().0;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50 {
        let test = Arc::clone(&test);
        tasks.spawn(async move { put(&test, number).await.expect("it commits") });
    }
    tasks.join_all().await;
    assert_eq!(test.snapshot().revision().0, first + 50);
    assert_eq!(test.audit.events().len(), 50);
}

#[tokio::test]
async fn a_refused_plan_changes_nothing() {
    let test = TestPlatform::new().await;
    let ctx = test.platform.begin(Actor::System("test"));
    let before = test.snapshot().revision();
    let refused =
        test.platform.directory.update(&ctx, &keyless_testkit::system().permit("test"), |_: &Snapshot| Err::<Change, _>("no")).await;
    assert!(matches!(refused, Err(UpdateError::Refused("no"))));
    assert_eq!(test.snapshot().revision(), before);
    assert!(test.audit.events().is_empty());
}

#[tokio::test]
async fn nothing_changes_while_the_audit_cannot_be_written() {
    let test = TestPlatform::new().await;
    let before = test.snapshot().revision();
    test.audit.fail("the disk is full");
    assert!(matches!(put(&test, 1).await, Err(UpdateError::Audit(_))));
    assert_eq!(test.snapshot().revision(), before);
    test.audit.recover();
    put(&test, 1).await.expect("it commits once there is room");
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_its_change() {
    let test = TestPlatform::new().await;
    let ctx = test.platform.begin(Actor::System("test"));
    let permit = keyless_testkit::system().permit("test");
    {
        let update = test.platform.directory.update::<(), std::convert::Infallible, _>(&ctx, &permit, |_| Ok(change(&ctx, 1)));
        let mut update = std::pin::pin!(update);
        // One poll plans the change and hands it over; then the caller is gone.
        let waker = std::task::Waker::noop();
        assert!(update.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    }
    test.platform.directory.close().await;
    assert!(test.snapshot().resource_group(&group(1).scope).is_some());
    assert_eq!(test.audit.last().operation, "put g1");
    assert_eq!(test.audit.last().time, test.clock.now());
}

#[tokio::test]
async fn a_sign_in_that_goes_on_wakes_nobody_and_one_that_ends_does() {
    let test = TestPlatform::new().await;
    let line = |revoked| RefreshFamily {
        id: CredentialId::from_u128(1),
        user: test.operator.object_id,
        client_id: test.operator.client_id,
        generation: 1,
        rotated: test.clock.now(),
        signed_in: test.clock.now(),
        expires: test.clock.now().plus_secs(60),
        revoked,
        method: "pwd".to_owned(),
        in_browser: false,
    };
    let mut revisions = test.platform.directory.revisions();
    revisions.mark_unchanged();
    test.put(line(false)).await;
    assert!(!revisions.has_changed().unwrap());
    assert_eq!(test.snapshot().refresh_families_of(test.operator.object_id).count(), 1);
    test.put(line(true)).await;
    assert!(revisions.has_changed().unwrap());
    revisions.mark_unchanged();
    test.delete(line(true)).await;
    assert!(!revisions.has_changed().unwrap());
    assert_eq!(test.snapshot().refresh_families_of(test.operator.object_id).count(), 0);
}

#[tokio::test]
async fn a_deletion_that_could_delete_nothing_is_refused() {
    let test = TestPlatform::new().await;
    let known = test.snapshot().policy().assignments().next().unwrap().id.to_string();
    for id in ["", "all of them", &format!("{{{known}}}"), &format!("{known} ")] {
        let key = EntityKey { kind: EntityKind::RoleAssignment, id: id.to_owned() };
        let refused = test.try_apply([Mutation::Delete(key)]).await;
        assert!(matches!(refused, Err(UpdateError::Store(StoreError::Unloadable { .. }))), "{id}: {refused:?}");
    }
}

/// Plans `change` with a permit that the operator has at `at`.
async fn as_operator(test: &TestPlatform, at: &Scope, change: Change) -> Result<(), UpdateError<std::convert::Infallible>> {
    let permit = could_assign_owner(&test.snapshot(), test.operator.object_id, at).expect("the operator owns the subscription");
    let ctx = test.platform.begin(Actor::System("test"));
    test.platform.directory.update(&ctx, &permit, |_| Ok(change.clone())).await.map(drop)
}

#[tokio::test]
async fn a_permit_opens_its_own_scope_and_no_other() {
    let test = TestPlatform::new().await;
    let (ctx, before) = (test.platform.begin(Actor::System("test")), test.snapshot().revision());
    let refused = as_operator(&test, &group(1).scope, change(&ctx, 2)).await;
    assert!(matches!(refused, Err(UpdateError::Violation(Violation::NotCovered(_)))), "{refused:?}");
    assert!(test.snapshot().revision() == before && test.audit.events().is_empty());
    as_operator(&test, &group(2).scope, change(&ctx, 2)).await.expect("its own");
    as_operator(&test, &Scope::subscription(SUBSCRIPTION), change(&ctx, 3)).await.expect("and what is below");
}

#[tokio::test]
async fn what_must_hold_is_asked_of_every_planner() {
    let test = TestPlatform::new().await;
    let ctx = test.platform.begin(Actor::System("test"));
    let subscription = Scope::subscription(SUBSCRIPTION);
    let owners: Vec<_> =
        test.snapshot().policy().assignments_at(&subscription).map(|row| Mutation::Delete(Entity::from(row).key())).collect();
    let refused = test.try_apply(owners).await;
    assert!(matches!(refused, Err(UpdateError::Violation(Violation::LastAdministrator(_)))), "{refused:?}");

    let large = ResourceGroup { tags: Tags::from([("t".to_owned(), "x".repeat(300_000))]), ..group(4) };
    assert!(matches!(test.try_apply([Mutation::put(large)]).await, Err(UpdateError::Violation(Violation::TooLarge))));

    test.put(Lock { scope: subscription.clone(), name: "l".to_owned(), level: LockLevel::ReadOnly, notes: None }).await;
    let mut locked = change(&ctx, 5);
    locked.event.target = Some(group(5).scope);
    let refused = as_operator(&test, &subscription, locked).await;
    assert!(matches!(refused, Err(UpdateError::Violation(Violation::Locked { .. }))), "{refused:?}");
    put(&test, 5).await.expect("locks do not bind Keyless itself");
}
