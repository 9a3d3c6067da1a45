//! What it takes to sign a principal out everywhere. Every plane that offers it plans it here, so that none forgets half of it.

use keyless_model::entity::{Mutation, Principal, RefreshFamily};
use keyless_model::{ObjectId, Timestamp};

use crate::Snapshot;

/// The changes after which every token issued to the principal before that moment is refused, and every line of refresh tokens that
/// began by then has ended. None when there is no such principal. An earlier revocation that reaches further stays.
#[must_use]
pub fn revoked(snapshot: &Snapshot, id: ObjectId, before: Timestamp) -> Option<Vec<Mutation>> {
    let mut principal = Principal::clone(snapshot.principal(id)?);
    principal.tokens_valid_from = principal.tokens_valid_from.max(Some(before));
    let mut mutations = vec![Mutation::put(principal)];
    for family in snapshot.refresh_families_of(id).filter(|family| !family.revoked && family.signed_in <= before) {
        let mut ended = RefreshFamily::clone(family);
        ended.revoked = true;
        mutations.push(Mutation::put(ended));
    }
    Some(mutations)
}
