//! The revision feed.

use keyless_model::entity::{Entity, Mutation};

use super::{Subject, ctx, documents, put, sorted, tenant};
use crate::Revision;

/// A store may forget, but not the recent past, and must say so. More commits than any store keeps.
const MORE_THAN_KEPT: u64 = 5000;

pub async fn changes_are_told_in_order(subject: &impl Subject) {
    let store = subject.open();
    let steps = [
        vec![Mutation::put(tenant(1, "a")), Mutation::put(tenant(2, "b"))],
        vec![],
        vec![Mutation::Delete(Entity::from(tenant(1, "")).key()), Mutation::put(tenant(3, "c"))],
    ];
    for (expected, step) in (0..).zip(steps.clone()) {
        put(&*store, expected, step).await;
    }
    for since in 0..=3 {
        let told = store.changes_since(&ctx(1), Revision(since)).await.expect("it answers").expect("it is known");
        let rest = steps.iter().skip(usize::try_from(since).expect("it fits")).flatten().cloned().collect::<Vec<_>>();
        assert_eq!(told, (Revision(3), rest), "since {since}");
    }
}

/// A follower that is ahead - the data was restored from a backup - must load everything.
pub async fn a_revision_never_reached_is_not_known(subject: &impl Subject) {
    let store = subject.open();
    put(&*store, 0, vec![]).await;
    assert_eq!(store.changes_since(&ctx(1), Revision(2)).await.expect("it answers"), None);
    assert_eq!(store.changes_since(&ctx(1), Revision(u64::from(u32::MAX))).await.expect("it answers"), None);
}

pub async fn changes_too_far_back_are_forgotten_and_loading_still_works(subject: &impl Subject) {
    let store = subject.open();
    let mut revision = 0;
    while store.changes_since(&ctx(1), Revision(0)).await.expect("it answers").is_some() {
        assert!(revision < MORE_THAN_KEPT, "every change ever made is kept");
        put(&*store, revision, vec![Mutation::put(tenant((revision % 3).into(), &revision.to_string()))]).await;
        revision += 1;
    }
    assert!(revision > 100, "a follower that pauses for a moment must not have to load everything");
    let told = store.changes_since(&ctx(1), Revision(revision - 2)).await.expect("it answers").expect("it is known");
    assert_eq!((told.0, told.1.len()), (Revision(revision), 2));
    let last_three = (revision - 3..revision).map(|n| tenant((n % 3).into(), &n.to_string()).into());
    assert_eq!(documents(&*store).await, sorted(last_three));
}
