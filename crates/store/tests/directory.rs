//! The directory: changes are whole, ordered, audited, and visible when they are said to be.

use std::sync::Arc;

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_model::entity::{Mutation, ResourceGroup, Tags};
use keyless_model::{Actor, Clock as _, OpContext, Scope};
use keyless_rbac::Permit;
use keyless_store::{Change, Snapshot, UpdateError};
use keyless_testkit::{SUBSCRIPTION, TestPlatform};

fn group(number: usize) -> ResourceGroup {
    let scope = Scope::subscription(SUBSCRIPTION).join(&format!("resourceGroups/g{number}")).expect("a scope");
    ResourceGroup { scope, location: "local".into(), tags: Tags::new(), created: Default::default() }
}

fn change(ctx: &OpContext, number: usize) -> Change {
    let event = AuditEvent::new(ctx, Category::Control, format!("put g{number}"), Outcome::Allowed);
    Change { mutations: vec![Mutation::put(group(number))], event }
}

async fn put(test: &TestPlatform, number: usize) -> Result<(), UpdateError<std::convert::Infallible>> {
    let ctx = test.platform.begin(Actor::System("test"));
    test.platform.directory.update(&ctx, &Permit::system("test"), |_| Ok(change(&ctx, number))).await.map(|_| ())
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
    let refused = test.platform.directory.update(&ctx, &Permit::system("test"), |_: &Snapshot| Err::<Change, _>("no")).await;
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
    let permit = Permit::system("test");
    {
        let update = test.platform.directory.update::<std::convert::Infallible, _>(&ctx, &permit, |_| Ok(change(&ctx, 1)));
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
