//! What becomes of a document that the store has and this program cannot read.
//!
//! It stays in the database. The system goes on without it only where its absence takes rights away and never gives any (decision 9);
//! for every other kind the start is refused, unless the owner named that very document.

use keyless_audit::{AuditEvent, Category, DecisionRecord, Outcome};
use keyless_model::OpContext;
use keyless_model::entity::{EntityKind, Mutation};

use crate::{StoreError, Unreadable};

/// Kinds that nobody gains anything by losing. SECURITY: a kind belongs here only when nothing that refuses looks for it: no deny
/// assignment, no lock, nobody who may be disabled, no group that a deny assignment may name, nothing that holds a name others could take;
/// no role assignment, for one above the subscriptions guards its holder: lesser administrators do not touch who has it.
const MAY_BE_ABSENT: &[EntityKind] = &[
    EntityKind::GenericResource,
    EntityKind::Deployment,
    EntityKind::RoleDefinition,
    EntityKind::FederatedCredential,
    EntityKind::RefreshFamily,
    EntityKind::Invitation,
];

/// The documents to go on without, or why not to go on. `accepted` are those that the owner named, as `KIND/ID`.
///
/// # Errors
/// [`StoreError::Corrupt`] for the first that may not be missed.
pub(crate) fn judge(unreadable: Vec<Unreadable>, accepted: &[String]) -> Result<Vec<Unreadable>, StoreError> {
    let may_go = |one: &Unreadable| {
        let named = || format!("{}/{}", one.key.kind.as_str(), one.key.id);
        MAY_BE_ABSENT.contains(&one.key.kind) || accepted.iter().any(|name| name.eq_ignore_ascii_case(&named()))
    };
    let (go, stay): (Vec<_>, Vec<_>) = unreadable.into_iter().partition(may_go);
    match stay.into_iter().next() {
        Some(Unreadable { key, source }) => Err(StoreError::Corrupt { key, source }),
        None => Ok(go),
    }
}

/// What the audit says of one.
pub(crate) fn event(ctx: &OpContext, unreadable: &Unreadable) -> AuditEvent {
    let Unreadable { key, source } = unreadable;
    let because = format!("{}/{} cannot be read ({source}); it stays in the database and counts for nothing", key.kind.as_str(), key.id);
    let decision = Some(DecisionRecord { because: because.into(), ..DecisionRecord::default() });
    AuditEvent { decision, ..AuditEvent::new(ctx, Category::System, "System_DocumentSetAside", Outcome::Failed) }
}

/// The store will be able to load what these mutations put: each is written and read as the store does, one level deeper at most.
///
/// # Errors
/// [`StoreError::Unloadable`] for the first that it could not.
pub(crate) fn check(mutations: &[Mutation]) -> Result<(), StoreError> {
    for mutation in mutations {
        let key = mutation.key();
        let read = serde_json::to_string(mutation).and_then(|text| serde_json::from_str::<Mutation>(&text));
        let refused = match read {
            Ok(read) if read.key() == key => continue,
            Ok(read) => format!("it would be read as {}/{}", read.key().kind.as_str(), read.key().id).into(),
            Err(error) => error.into(),
        };
        return Err(StoreError::Unloadable { key, source: refused });
    }
    Ok(())
}
