//! A request's scope and all above it, ready for lookups.

use keyless_model::{Scope, TenantId};

use super::tree::Tree;
use super::{Policy, Short};
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

impl Link<'_> {
    /// Whether it is this very scope. SECURITY: whatever a key finds is asked this before it counts.
    pub(super) fn names(&self, scope: &Scope) -> bool {
        scope.folded() == self.folded
    }
}

/// The key under which assignments at `scope` are kept; equals the first link's of the scope's chain.
pub(super) fn scope_key(scope: &Scope) -> u64 {
    let mut key = ROOT;
    links(scope.folded(), |link| key = link.key);
    key
}

/// Calls `found` for every scope in a folded id but the root, from the top down. The same scopes as `Scope::chain`, which goes up
/// and would have to find each text again to digest it.
fn links<'a>(folded: &'a str, mut found: impl FnMut(Link<'a>)) {
    let bytes = folded.as_bytes();
    // Ids are pairs of segments: `subscriptions/{id}`, `{type}/{name}`; and `providers/{namespace}`, which is no scope by itself.
    let (mut key, mut start) = (ROOT, 0);
    let (mut pair_start, mut even) = (0, true);
    let mut end_of_segment = |end: usize| {
        even = !even;
        if even {
            if !bytes.get(pair_start..).unwrap_or_default().starts_with(b"/providers/") {
                key = absorb(key, bytes.get(start..end).unwrap_or_default());
                start = end;
                found(Link { key, folded: folded.get(..end).unwrap_or_default() });
            }
            pair_start = end;
        }
    };
    // By hand: with `memchr`, which starts anew for each slash of a short id, a decision takes 6 % more instructions.
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let mut slashes = zero_bytes(u64::from_le_bytes(*word) ^ u64::from_le_bytes([b'/'; 8]));
        while slashes != 0 {
            let at = index * 8 + (slashes.trailing_zeros() / 8) as usize;
            if at > 0 {
                end_of_segment(at);
            }
            slashes &= slashes - 1;
        }
    }
    for (offset, byte) in rest.iter().enumerate() {
        if *byte == b'/' {
            end_of_segment(words.len() * 8 + offset);
        }
    }
    if !bytes.is_empty() {
        end_of_segment(bytes.len());
    }
}

/// The top bit of each byte that is zero; exact for every byte.
const fn zero_bytes(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    !(((word & LOW) + LOW) | word | LOW)
}

/// The scope itself, its ancestors in the id, the management groups above its subscription, and the root.
pub(super) struct Chain<'a> {
    /// From the top down, then what no id says, from the bottom up.
    links: Short<Link<'a>>,
    /// How many links are in the id.
    own: usize,
    /// The tenant of the subscription or management group that holds the scope, when there is one and it is known.
    pub(super) tenant: Option<TenantId>,
}

impl<'a> Chain<'a> {
    pub(super) fn of(scope: &'a Scope, tree: &'a Tree) -> Self {
        let mut chain = Self { links: Short::new(), own: 0, tenant: None };
        links(scope.folded(), |link| chain.links.push(link));
        chain.own = chain.links.len();
        if let Some((top, container)) = chain.links.first().and_then(|top| Some((top.folded, tree.get(top.folded)?))) {
            chain.tenant = Some(container.tenant);
            for group in tree.above(top) {
                chain.links.push(Link { key: scope_key(group), folded: group.folded() });
            }
        }
        chain.links.push(Link { key: ROOT, folded: "" });
        chain
    }

    /// Nearest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Link<'a>> {
        (0..self.own).rev().chain(self.own..self.links.len()).filter_map(|index| self.links.get(index).copied())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_are_the_scopes_of_the_id() {
        for text in [
            "/",
            "/providers/Microsoft.Management/managementGroups/top",
            "/providers/Microsoft.Management/managementGroups/top/providers/Microsoft.Authorization/policyDefinitions/p",
            "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.X/ys/z",
            "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/providers",
            "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/providers/providers/Microsoft.X/ys/z/as/b/providers/M.L/locks/l",
            "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/..x/providers/Microsoft.X/ys/(z)/as/providersx",
        ] {
            same_as_model(text);
        }
    }

    proptest! {
        #[test]
        fn links_are_the_scopes_of_any_id(pairs in proptest::collection::vec("(a|bb|providers1|x.y-[a-z]{1,20})/[a-z.]{1,12}", 1..6), group in "[a-z.]{1,9}") {
            let text = format!("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/{group}/providers/M.X/{}", pairs.join("/"));
            if text.parse::<Scope>().is_ok() {
                same_as_model(&text);
            }
        }
    }

    fn same_as_model(text: &str) {
        let scope: Scope = text.parse().expect("well-formed");
        let tree = Tree::default();
        let chain = Chain::of(&scope, &tree);
        let found: Vec<&str> = chain.iter().map(|link| link.folded).collect();
        assert_eq!(found, scope.chain().collect::<Vec<_>>(), "{text}");
        for link in chain.iter().filter(|link| !link.folded.is_empty()) {
            assert_eq!(link.key, scope_key(&link.folded.parse().expect("a scope of the chain")), "{}", link.folded);
        }
        assert_eq!(chain.iter().next().map(|link| link.key), Some(scope_key(&scope)));
    }
}
