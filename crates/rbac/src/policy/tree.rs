//! What ids do not say: which management group holds a subscription or group, and which tenant they belong to.

use std::sync::Arc;

use imbl::OrdMap;
use keyless_model::entity::{ManagementGroup, Subscription};
use keyless_model::{Scope, SubscriptionId, TenantId};

/// A subscription or management group.
#[derive(Clone)]
pub(super) struct Container {
    pub(super) tenant: TenantId,
    /// The management group above it, whether or not that group has a document of its own.
    pub(super) parent: Option<Scope>,
}

/// Subscriptions and management groups by folded scope.
#[derive(Clone, Default)]
pub(super) struct Tree(OrdMap<Arc<str>, Container>);

impl Tree {
    pub(super) fn put_subscription(&mut self, document: &Subscription) {
        let parent = document.management_group.as_deref().and_then(group);
        self.0.insert(Scope::subscription(document.id).folded().into(), Container { tenant: document.tenant, parent });
    }

    pub(super) fn remove_subscription(&mut self, id: SubscriptionId) {
        self.0.remove(Scope::subscription(id).folded());
    }

    pub(super) fn put_group(&mut self, document: &ManagementGroup) {
        // A name that no scope can hold is a group at which nothing can be assigned.
        if let Some(scope) = group(&document.name) {
            let parent = document.parent.as_deref().and_then(group);
            self.0.insert(scope.folded().into(), Container { tenant: document.tenant, parent });
        }
    }

    pub(super) fn remove_group(&mut self, name: &str) {
        if let Some(scope) = group(name) {
            self.0.remove(scope.folded());
        }
    }

    /// The container of that folded scope.
    pub(super) fn get(&self, folded: &str) -> Option<&Container> {
        self.0.get(folded)
    }

    /// The management groups above a container, nearest first, each once: a circle of groups ends where it closes.
    pub(super) fn above<'a>(&'a self, folded: &'a str) -> impl Iterator<Item = &'a Scope> {
        let parent_of = move |folded: &str| self.get(folded)?.parent.as_ref();
        let (mut current, mut steps) = (folded, 0);
        std::iter::from_fn(move || {
            let parent = parent_of(current)?;
            // Walks from the start again rather than remember: hierarchies are a few levels deep.
            let mut earlier = std::iter::successors(Some(folded), |at| parent_of(at).map(Scope::folded)).take(steps + 1);
            if earlier.any(|at| at == parent.folded()) {
                return None;
            }
            steps += 1;
            current = parent.folded();
            Some(parent)
        })
    }

    /// The folded scopes of every container that has `group` above it.
    pub(super) fn below<'a>(&'a self, group: &'a Scope) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(|key| &**key).filter(move |folded| *folded != group.folded() && self.above(folded).any(|above| above == group))
    }
}

fn group(name: &str) -> Option<Scope> {
    Scope::management_group(name).ok().filter(|scope| scope.kind() == keyless_model::ScopeKind::ManagementGroup)
}
