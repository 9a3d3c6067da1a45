//! What is still there when the data is opened again.

use keyless_model::entity::Mutation;

use super::{Subject, anchor, commit, ctx, documents, group, put, sorted, tenant};
use crate::{Commit, Revision};

pub async fn everything_survives_reopening(subject: &impl Subject) {
    for round in 0..5_u64 {
        let store = subject.open();
        assert_eq!(store.load(&ctx(1)).await.expect("it loads").revision, Revision(round));
        put(&*store, round, vec![Mutation::put(tenant(round.into(), "kept")), Mutation::put(group(round.into()))]).await;
    }
    let store = subject.open();
    let kept = (0..5).flat_map(|n| [tenant(n, "kept").into(), group(n).into()]);
    assert_eq!(documents(&*store).await, sorted(kept));
    assert_eq!(store.pending_audit(&ctx(1)).await.expect("it answers").len(), 5);
}

pub async fn sequences_go_on_after_reopening(subject: &impl Subject) {
    let store = subject.open();
    let first = put(&*store, 0, vec![]).await;
    store.note_audited(&ctx(1), first, None).await.expect("it notes");
    drop(store);
    let store = subject.open();
    assert!(store.pending_audit(&ctx(1)).await.expect("it answers").is_empty());
    assert!(put(&*store, 1, vec![]).await > first);
}

pub async fn the_anchor_survives_reopening(subject: &impl Subject) {
    let store = subject.open();
    store.commit(&ctx(1), Commit { anchor: Some(anchor(3)), ..commit(0, vec![]) }).await.expect("it commits");
    drop(store);
    assert_eq!(subject.open().audit_anchor(&ctx(1)).await.expect("it answers"), Some(anchor(3)));
}

pub async fn a_follower_catches_up_after_reopening(subject: &impl Subject) {
    let store = subject.open();
    put(&*store, 0, vec![Mutation::put(tenant(1, "a"))]).await;
    put(&*store, 1, vec![Mutation::put(tenant(2, "b"))]).await;
    drop(store);
    let told = subject.open().changes_since(&ctx(1), Revision(1)).await.expect("it answers");
    assert_eq!(told, Some((Revision(2), vec![Mutation::put(tenant(2, "b"))])));
}
