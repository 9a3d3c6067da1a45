//! A request's scope and all above it, ready for lookups.

use keyless_model::{Scope, TenantId};

use super::Policy;
use super::short::Short;
use super::tree::Tree;
use crate::digest::absorb;

/// The key of the root scope, where every chain's digest starts.
const ROOT: u64 = 0x51_7c_c1_b7_27_22_0a_95;

/// One scope of a chain.
#[derive(Clone, Copy)]
pub(super) struct Link<'a> {
    /// A digest of `folded`, for finding. SECURITY: not proof of equality.
    pub(super) key: u64,
    pub(super) folded: &'a str,
}

/// The key under which assignments at `scope` are kept; equals the first link's of the scope's chain.
pub(super) fn scope_key(scope: &Scope) -> u64 {
    let mut ends = Short::new(0);
    scope.chain().for_each(|ancestor| ends.push(ancestor.len()));
    let mut key = ROOT;
    let mut start = 0;
    for end in ends.iter().rev().skip(1) {
        key = absorb(key, scope.folded().as_bytes().get(start..*end).unwrap_or_default());
        start = *end;
    }
    key
}

/// The scope itself, its ancestors in the id, the management groups above its subscription, and the root; nearest first.
pub(super) struct Chain<'a> {
    pub(super) links: Short<Link<'a>>,
    /// The tenant of the subscription or management group that holds the scope, when there is one and it is known.
    pub(super) tenant: Option<TenantId>,
}

impl<'a> Chain<'a> {
    pub(super) fn of(scope: &'a Scope, tree: &'a Tree) -> Self {
        let mut texts = Short::new("");
        scope.chain().for_each(|ancestor| texts.push(ancestor));
        // Digests grow from the root down: each continues its parent's.
        let mut keys = Short::new(ROOT);
        let (mut key, mut start) = (ROOT, 0);
        for text in texts.iter().rev() {
            if !text.is_empty() {
                key = absorb(key, text.as_bytes().get(start..).unwrap_or_default());
                start = text.len();
            }
            keys.push(key);
        }
        let mut links = Short::new(Link { key: ROOT, folded: "" });
        for (folded, key) in texts.iter().zip(keys.iter().rev()).take(texts.len() - 1) {
            links.push(Link { key: *key, folded });
        }
        let top = texts.len().checked_sub(2).and_then(|top| texts.get(top));
        let container = top.and_then(|top| Some((top, tree.get(top)?)));
        if let Some((top, _)) = container {
            for group in tree.above(top) {
                links.push(Link { key: scope_key(group), folded: group.folded() });
            }
        }
        links.push(Link { key: ROOT, folded: "" });
        Self { links, tenant: container.map(|(_, container)| container.tenant) }
    }
}

impl Policy {
    /// The scope itself and everything above it, nearest first: its ancestors in the id, then the management groups above its
    /// subscription, then the root.
    #[must_use]
    pub fn scope_chain(&self, scope: &Scope) -> Vec<Scope> {
        let mut chain = vec![scope.clone()];
        while let Some(parent) = chain.last().and_then(Scope::parent) {
            chain.push(parent);
        }
        let root = chain.pop_if(|last| chain_ends(last));
        if let Some(top) = chain.last().cloned() {
            chain.extend(self.tree.above(top.folded()).cloned());
        }
        chain.extend(root);
        chain
    }
}

fn chain_ends(scope: &Scope) -> bool {
    scope.folded().is_empty()
}
