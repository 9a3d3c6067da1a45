//! The first administrator: whether there is one already.

use keyless_model::Scope;
use keyless_model::entity::PrincipalKind;
use keyless_rbac::{Attributes, Plane, Request};
use keyless_store::Snapshot;

const ASSIGN_ROLES: &str = "Microsoft.Authorization/roleAssignments/write";

/// Whether some person could give roles, at the root or in a subscription. Programs do not count: nobody signs in as one.
#[must_use]
pub fn has_administrator(snapshot: &Snapshot) -> bool {
    let scopes: Vec<Scope> =
        std::iter::once(Scope::root()).chain(snapshot.subscriptions().map(|found| Scope::subscription(found.id))).collect();
    let people = snapshot.users().filter_map(|user| snapshot.principal(user.id));
    people.filter(|principal| principal.kind == PrincipalKind::User && principal.enabled).any(|principal| {
        scopes.iter().any(|scope| {
            let request =
                Request { principal: principal.id, action: ASSIGN_ROLES, plane: Plane::Control, scope, attributes: Attributes::NONE };
            snapshot.policy().decide(&request).is_allowed()
        })
    })
}
