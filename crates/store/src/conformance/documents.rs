//! Documents: what is put is there, whole or not at all.

use std::sync::Arc;

use keyless_audit::{AuditEvent, AuditSink, AuditUnavailable};
use keyless_model::entity::{Entity, EntityKind, GenericResource, Mutation, Principal, PrincipalKind};
use keyless_model::{ObjectId, Scope, SubscriptionId, TenantId, Timestamp};
use keyless_rbac::SystemRight;

use super::{Subject, commit, ctx, documents, event, group, put, resource_group, sorted, tenant};
use crate::{Change, Directory, Revision, StoreError, UpdateError};

/// The large commit has this many documents.
const MANY: u128 = 10_000;

pub async fn a_new_store_is_empty(subject: &impl Subject) {
    let store = subject.open();
    let loaded = store.load(&ctx(1)).await.expect("it loads");
    assert_eq!((loaded.revision, loaded.entities.len()), (Revision(0), 0));
    assert!(store.pending_audit(&ctx(1)).await.expect("it answers").is_empty());
    assert_eq!(store.audit_anchor(&ctx(1)).await.expect("it answers"), None);
}

pub async fn what_was_committed_is_loaded(subject: &impl Subject) {
    let store = subject.open();
    put(&*store, 0, vec![Mutation::put(tenant(1, "one")), Mutation::put(tenant(2, "two")), Mutation::put(group(3))]).await;
    put(&*store, 1, vec![Mutation::put(tenant(1, "uno")), Mutation::Delete(Entity::from(tenant(2, "")).key())]).await;
    // Deleting what is absent is no error.
    put(&*store, 2, vec![Mutation::Delete(Entity::from(tenant(9, "")).key())]).await;
    assert_eq!(documents(&*store).await, sorted([tenant(1, "uno").into(), group(3).into()]));
    assert_eq!(store.load(&ctx(1)).await.expect("it loads").revision, Revision(3));
}

pub async fn mutations_of_one_commit_apply_in_order(subject: &impl Subject) {
    let store = subject.open();
    let (gone, kept) = (Entity::from(tenant(1, "gone")), Entity::from(tenant(2, "second")));
    let mutations = vec![
        Mutation::put(gone.clone()),
        Mutation::Delete(gone.key()),
        Mutation::Delete(kept.key()),
        Mutation::put(tenant(2, "first")),
        Mutation::put(kept.clone()),
    ];
    put(&*store, 0, mutations).await;
    assert_eq!(documents(&*store).await, [kept]);
}

pub async fn documents_come_in_the_order_of_their_kinds(subject: &impl Subject) {
    let store = subject.open();
    let mixed = [group(1).into(), resource_group("b").into(), tenant(1, "t").into(), group(2).into(), tenant(2, "u").into()];
    put(&*store, 0, mixed.into_iter().map(|entity: Entity| Mutation::put(entity)).collect()).await;
    let kinds: Vec<_> = store.load(&ctx(1)).await.expect("it loads").entities.iter().map(|entity| entity.key().kind).collect();
    assert_eq!(kinds, [EntityKind::Tenant, EntityKind::Tenant, EntityKind::ResourceGroup, EntityKind::Group, EntityKind::Group]);
}

pub async fn one_id_under_two_kinds_is_two_documents(subject: &impl Subject) {
    let store = subject.open();
    let principal = Principal {
        id: ObjectId::from_u128(5),
        tenant: TenantId::from_u128(1),
        kind: PrincipalKind::Group,
        display_name: "five".to_owned(),
        client_id: None,
        enabled: true,
        home: None,
        tokens_valid_from: None,
        created: Timestamp::default(),
    };
    put(&*store, 0, vec![Mutation::put(group(5)), Mutation::put(principal.clone())]).await;
    put(&*store, 1, vec![Mutation::Delete(Entity::from(group(5)).key())]).await;
    assert_eq!(documents(&*store).await, [principal.into()]);
}

pub async fn any_text_comes_back_as_it_was(subject: &impl Subject) {
    let store = subject.open();
    let texts = ["", "🔑 ключ 鍵 \u{202e}", "'; DROP TABLE documents; --", "\"\\\n\t\u{0}\u{1f}", "%_?*", &"x".repeat(100_000)];
    let mut entities: Vec<Entity> = (1..).zip(texts).map(|(n, text)| tenant(n, text).into()).collect();
    let scope = Scope::subscription(SubscriptionId::from_u128(1)).join("resourceGroups/Demo(1)~@,x/providers/A.B/c/Ünfit");
    assert!(scope.is_err(), "names are ASCII");
    let scope = Scope::subscription(SubscriptionId::from_u128(1)).join("resourceGroups/Demo(1)~@,x/providers/A.B/c/d");
    entities.push(
        GenericResource {
            scope: scope.expect("a good name"),
            location: "local".to_owned(),
            tags: [("Clé".to_owned(), "'valeur'".to_owned())].into(),
            body: serde_json::json!({ "n": [0, -1, u64::MAX, i64::MIN, 0.5, 1e300], "s": { "ü": null }, "t": true }),
            created: Timestamp::from_unix_millis(-1),
        }
        .into(),
    );
    put(&*store, 0, entities.iter().cloned().map(Mutation::put).collect()).await;
    assert_eq!(documents(&*store).await, sorted(entities));
}

pub async fn a_commit_may_be_large(subject: &impl Subject) {
    let store = subject.open();
    let entities: Vec<Entity> = (0..MANY).map(|n| tenant(n, "many").into()).collect();
    put(&*store, 0, entities.iter().cloned().map(Mutation::put).collect()).await;
    assert_eq!(documents(&*store).await, sorted(entities));
    let (_, changes) = store.changes_since(&ctx(1), Revision(0)).await.expect("it answers").expect("it is known");
    assert_eq!(changes.len(), usize::try_from(MANY).expect("it fits"));
}

pub async fn a_commit_planned_on_another_revision_is_refused_whole(subject: &impl Subject) {
    let store = subject.open();
    put(&*store, 0, vec![Mutation::put(tenant(1, "kept"))]).await;
    for stale in [0, 2, u64::from(u32::MAX)] {
        let refused = store.commit(&ctx(1), commit(stale, vec![Mutation::put(tenant(1, "lost")), Mutation::put(tenant(2, "lost"))])).await;
        assert!(matches!(refused, Err(StoreError::Conflict { current: Revision(1) })), "{refused:?}");
    }
    assert_eq!(documents(&*store).await, [tenant(1, "kept").into()]);
    let pending = store.pending_audit(&ctx(1)).await.expect("it answers");
    assert_eq!(pending.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), [event(1)], "a refused change leaves no event");
    let (revision, changes) = store.changes_since(&ctx(1), Revision(0)).await.expect("it answers").expect("it is known");
    assert_eq!((revision, changes), (Revision(1), vec![Mutation::put(tenant(1, "kept"))]));
}

pub async fn of_competing_commits_one_wins(subject: &impl Subject) {
    let store = subject.open();
    for round in 0..10 {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8_u128 {
            let store = Arc::clone(&store);
            let planned = commit(round, vec![Mutation::put(tenant(n, &format!("round {round}")))]);
            tasks.spawn(async move { store.commit(&ctx(n), planned).await.map(|_| n) });
        }
        let results = tasks.join_all().await;
        let winners: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        let conflict = |error: &StoreError| matches!(error, StoreError::Conflict { current } if current.0 == round + 1);
        assert!(results.iter().filter_map(|result| result.as_ref().err()).all(conflict), "{results:?}");
    }
    assert_eq!(store.pending_audit(&ctx(1)).await.expect("it answers").len(), 10);
}

pub async fn a_commit_whose_caller_goes_away_is_whole_or_absent(subject: &impl Subject) {
    let store = subject.open();
    let mutations: Vec<_> = (0..500).map(|n| Mutation::put(tenant(n, "whole"))).collect();
    let ctx = ctx(1);
    tokio::select! {
        biased;
        // Polled once, which hands the work over; the answer is not waited for.
        _ = store.commit(&ctx, commit(0, mutations)) => {}
        () = std::future::ready(()) => {}
    }
    let loaded = store.load(&ctx).await.expect("it loads");
    let events = store.pending_audit(&ctx).await.expect("it answers").len();
    let found = (loaded.revision.0, loaded.entities.len(), events);
    assert!(found == (0, 0, 0) || found == (1, 500, 1), "{found:?}");
}

/// A generic resource with a body of that many levels.
fn nested(levels: usize) -> Entity {
    let scope = Scope::subscription(SubscriptionId::from_u128(1)).join(&format!("resourceGroups/r/providers/A.B/c/d{levels}"));
    GenericResource {
        scope: scope.expect("a good name"),
        location: "local".to_owned(),
        tags: [].into(),
        body: (0..levels).fold(serde_json::json!("x"), |inner, _| serde_json::json!({ "a": inner })),
        created: Timestamp::default(),
    }
    .into()
}

pub async fn what_the_directory_committed_can_be_loaded_d1(subject: &impl Subject) {
    let store = subject.open();
    let directory = Directory::open(Arc::clone(&store), Arc::new(Nowhere), &ctx(1)).await.expect("it opens");
    #[expect(clippy::disallowed_methods, reason = "a suite for tests")]
    let system = SystemRight::claim();
    let mut kept = Vec::new();
    for levels in [1, 2, 32, 64].into_iter().chain(110..=135) {
        let document = nested(levels);
        let plan = |_: &_| Ok::<_, ()>(Change::new(vec![Mutation::put(document.clone())], event(1)));
        match directory.update(&ctx(1), &system.permit("conformance"), plan).await {
            Ok(_) => kept.push(document),
            Err(UpdateError::Store(StoreError::Unloadable { key, .. })) => assert_eq!(key, document.key()),
            Err(other) => panic!("{levels} levels: {other:?}"),
        }
    }
    assert!(kept.len() > 4 && !kept.contains(&nested(127)), "deep documents are refused, others kept: {}", kept.len());
    let loaded = store.load(&ctx(1)).await.expect("it loads");
    assert!(loaded.unreadable.is_empty(), "{:?}", loaded.unreadable);
    assert_eq!(documents(&*store).await, sorted(kept));
    let (_, changes) = store.changes_since(&ctx(1), Revision(0)).await.expect("it answers").expect("each change can be read");
    assert_eq!(changes.len() as u64, loaded.revision.0);
}

pub async fn a_document_that_cannot_be_read_is_told_with_the_others_d1(subject: &impl Subject) {
    let store = subject.open();
    // As an older program did: past the directory.
    put(&*store, 0, vec![Mutation::put(nested(127)), Mutation::put(tenant(1, "kept"))]).await;
    let loaded = store.load(&ctx(1)).await.expect("it loads");
    assert_eq!(loaded.entities, [tenant(1, "kept").into()]);
    assert_eq!(loaded.unreadable.iter().map(|found| found.key.clone()).collect::<Vec<_>>(), [nested(127).key()]);
}

/// An audit that takes everything.
#[derive(Debug)]
struct Nowhere;

impl AuditSink for Nowhere {
    fn record(&self, _: &AuditEvent) -> Result<(), AuditUnavailable> {
        Ok(())
    }

    fn ready(&self) -> Result<(), AuditUnavailable> {
        Ok(())
    }
}
