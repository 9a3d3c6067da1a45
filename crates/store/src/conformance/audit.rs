//! The outbox and the anchor.

use keyless_audit::{ActorRecord, AuditEvent, ControlDetail, DataDetail, DecisionRecord, TokenDetail};
use keyless_model::{AssignmentId, ClientId, ObjectId, Scope, TenantId, Timestamp};

use super::{Subject, anchor, commit, ctx, event};
use crate::{Commit, Store};

async fn pending(store: &dyn Store) -> Vec<u64> {
    store.pending_audit(&ctx(1)).await.expect("it answers").into_iter().map(|entry| entry.sequence).collect()
}

async fn commit_with(store: &dyn Store, expected: u64, audited_up_to: u64) -> u64 {
    store.commit(&ctx(1), Commit { audited_up_to, ..commit(expected, vec![]) }).await.expect("it commits").1
}

pub async fn events_wait_until_they_are_audited(subject: &impl Subject) {
    let store = subject.open();
    let first = commit_with(&*store, 0, 0).await;
    let second = commit_with(&*store, 1, 0).await;
    assert!(second > first && first > 0);
    assert_eq!(pending(&*store).await, [first, second]);
    let third = commit_with(&*store, 2, first).await;
    assert_eq!(pending(&*store).await, [second, third]);
    store.note_audited(&ctx(1), third, None).await.expect("it notes");
    assert!(pending(&*store).await.is_empty());
    // A number is never used twice, or an event could be taken for one that was audited.
    let fourth = commit_with(&*store, 3, third).await;
    assert!(fourth > third);
    assert_eq!(pending(&*store).await, [fourth]);
    store.note_audited(&ctx(1), first, None).await.expect("it notes");
    assert_eq!(pending(&*store).await, [fourth]);
}

pub async fn events_come_back_as_they_were(subject: &impl Subject) {
    let store = subject.open();
    let full = AuditEvent {
        actor: ActorRecord::Principal {
            object_id: ObjectId::from_u128(1),
            tenant: TenantId::from_u128(2),
            client_id: Some(ClientId::from_u128(3)),
        },
        source: Some([127, 0, 0, 1].into()),
        target: Some(Scope::root()),
        decision: Some(DecisionRecord {
            allowed: true,
            because: "because \"ü\"".into(),
            assignment: Some(AssignmentId::from_u128(4)),
            role: None,
            via_group: Some(ObjectId::from_u128(5)),
            deny: None,
        }),
        status: Some(201),
        data: Some(DataDetail { api: "A".into(), cancelled: true, prompt_tokens: Some(u64::MAX >> 1), ..DataDetail::default() }),
        control: Some(ControlDetail { before: None, after: Some(serde_json::json!({ "a": [1, { "b": null }] })) }),
        token: Some(TokenDetail { grant: "g".into(), expires: Some(Timestamp::from_unix_millis(1)), ..TokenDetail::default() }),
        ..event(1)
    };
    store.commit(&ctx(1), Commit { event: full.clone(), ..commit(0, vec![]) }).await.expect("it commits");
    let found = store.pending_audit(&ctx(1)).await.expect("it answers");
    assert_eq!(found.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), [full]);
}

pub async fn the_anchor_moves_forward_only(subject: &impl Subject) {
    let store = subject.open();
    let kept = || async { store.audit_anchor(&ctx(1)).await.expect("it answers") };
    store.commit(&ctx(1), Commit { anchor: Some(anchor(7)), ..commit(0, vec![]) }).await.expect("it commits");
    assert_eq!(kept().await, Some(anchor(7)));
    store.commit(&ctx(1), commit(1, vec![])).await.expect("it commits");
    assert_eq!(kept().await, Some(anchor(7)));
    store.note_audited(&ctx(1), 0, Some(anchor(9))).await.expect("it notes");
    assert_eq!(kept().await, Some(anchor(9)));
    store.note_audited(&ctx(1), 0, Some(anchor(8))).await.expect("it notes");
    let stale = commit(0, vec![]);
    assert!(store.commit(&ctx(1), Commit { anchor: Some(anchor(11)), ..stale }).await.is_err());
    assert_eq!(kept().await, Some(anchor(9)));
    assert_eq!(store.pending_audit(&ctx(1)).await.expect("it answers").len(), 2);
}
