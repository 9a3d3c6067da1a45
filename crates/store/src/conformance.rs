//! What every store must do, as tests: each adapter runs this suite on itself.
//!
//! A case panics when the store is wrong. [`conformance_suite!`](crate::conformance_suite) makes one test of each.

use std::sync::Arc;

use keyless_audit::{Anchor, AuditEvent, Category, Hash, Outcome};
use keyless_model::entity::{Entity, Group, Mutation, ResourceGroup, Tags, Tenant};
use keyless_model::{Actor, ObjectId, OpContext, RequestId, Scope, SubscriptionId, TenantId, Timestamp};

use crate::{Commit, Revision, Store};

mod assertions;
mod audit;
mod changes;
mod documents;
mod durable;

pub use assertions::*;
pub use audit::*;
pub use changes::*;
pub use documents::*;
pub use durable::*;

/// An adapter and the place where its data is. The first store opened there is new and empty.
pub trait Subject: Send + Sync {
    /// Opens the store. Called again only after the store before was dropped; a subject of the durable cases then finds its data.
    fn open(&self) -> Arc<dyn Store>;
}

impl<S: Store + 'static, F: Fn() -> S + Send + Sync> Subject for F {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self())
    }
}

/// One test per case. `volatile: make` is for stores that lose everything when dropped; `durable: make` adds the cases that open the
/// same data again. `make` is called once per test and returns a [`Subject`].
#[macro_export]
macro_rules! conformance_suite {
    (durable: $make:expr) => {
        $crate::conformance_suite!(volatile: $make);
        $crate::conformance_suite!(
            $make =>
            everything_survives_reopening
            sequences_go_on_after_reopening
            the_anchor_survives_reopening
            a_follower_catches_up_after_reopening
            used_assertions_survive_reopening_n42
        );
    };
    (volatile: $make:expr) => {
        $crate::conformance_suite!(
            $make =>
            a_new_store_is_empty
            what_was_committed_is_loaded
            mutations_of_one_commit_apply_in_order
            documents_come_in_the_order_of_their_kinds
            one_id_under_two_kinds_is_two_documents
            any_text_comes_back_as_it_was
            a_commit_may_be_large
            what_the_directory_committed_can_be_loaded_d1
            a_document_that_cannot_be_read_is_told_with_the_others_d1
            a_commit_planned_on_another_revision_is_refused_whole
            of_competing_commits_one_wins
            a_commit_whose_caller_goes_away_is_whole_or_absent
            changes_are_told_in_order
            a_revision_never_reached_is_not_known
            changes_too_far_back_are_forgotten_and_loading_still_works
            events_wait_until_they_are_audited
            events_come_back_as_they_were
            the_anchor_moves_forward_only
            an_assertion_is_first_once_n40
            of_many_at_once_one_is_first_n41
            a_full_memory_refuses_and_forgets_nothing_f22
            no_assertion_is_first_twice_whatever_the_clock_does_f7
            a_clock_that_steps_back_brings_no_assertion_back_f7
        );
    };
    ($make:expr => $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let subject = $make;
                $crate::conformance::$case(&subject).await;
            }
        )*
    };
}

fn ctx(request: u128) -> OpContext {
    OpContext::new(RequestId::from_u128(request), Timestamp::from_unix_secs(1_795_219_200), Actor::System("conformance"))
}

fn event(n: u64) -> AuditEvent {
    AuditEvent { revision: Some(n), ..AuditEvent::new(&ctx(n.into()), Category::Control, format!("Change{n}"), Outcome::Allowed) }
}

fn commit(expected: u64, mutations: Vec<Mutation>) -> Commit {
    Commit { expected: Revision(expected), mutations, event: event(expected + 1), audited_up_to: 0, anchor: None }
}

fn anchor(sequence: u64) -> Anchor {
    Anchor { sequence, hash: Hash::of(&sequence.to_le_bytes()) }
}

fn tenant(n: u128, name: &str) -> Tenant {
    Tenant {
        id: TenantId::from_u128(n),
        display_name: name.to_owned(),
        domain: format!("t{n}.test"),
        created: Timestamp::from_unix_secs(7),
    }
}

fn group(n: u128) -> Group {
    let members = (0..n).map(ObjectId::from_u128).collect();
    Group { id: ObjectId::from_u128(n), mail_nickname: format!("g{n}"), description: None, members }
}

fn resource_group(name: &str) -> ResourceGroup {
    let scope = Scope::subscription(SubscriptionId::from_u128(1)).join(&format!("resourceGroups/{name}"));
    ResourceGroup { scope: scope.expect("a good name"), location: "local".to_owned(), tags: Tags::new(), created: Timestamp::default() }
}

/// Puts `mutations` on top of revision `expected`.
async fn put(store: &dyn Store, expected: u64, mutations: Vec<Mutation>) -> u64 {
    let (revision, sequence) = store.commit(&ctx(1), commit(expected, mutations)).await.expect("the commit succeeds");
    assert_eq!(revision, Revision(expected + 1));
    sequence
}

/// All documents, in key order.
async fn documents(store: &dyn Store) -> Vec<Entity> {
    let mut entities = store.load(&ctx(1)).await.expect("the store loads").entities;
    entities.sort_by_key(Entity::key);
    entities
}

fn sorted(entities: impl IntoIterator<Item = Entity>) -> Vec<Entity> {
    let mut entities: Vec<_> = entities.into_iter().collect();
    entities.sort_by_key(Entity::key);
    entities
}
