//! May they: one decision per call, at the deployment where there is one.

use std::sync::Arc;

use keyless_model::Scope;
use keyless_model::entity::Account;
use keyless_rbac::{Attributes, Permit, Plane, Request};
use keyless_store::Snapshot;

use crate::authenticate::Identity;
use crate::plan::Plan;
use crate::refuse::Refusal;
use crate::route::Operation;

/// A call that the policy allowed, of this deployment. Forwarding takes one, and only a permit for the deployment makes one.
#[derive(Debug)]
pub(crate) struct Permitted(Arc<Plan>);

impl Permitted {
    /// # Errors
    /// [`Refusal::DeploymentNotFound`] when the permit was not made for this deployment; that would be a fault of ours.
    #[allow(clippy::needless_pass_by_value, reason = "a permit is used up by what it permits")]
    pub(crate) fn new(permit: Permit, plan: Arc<Plan>) -> Result<Self, Refusal> {
        if permit.covers(&plan.deployment.scope) { Ok(Self(plan)) } else { Err(Refusal::DeploymentNotFound) }
    }

    pub(crate) const fn plan(&self) -> &Arc<Plan> {
        &self.0
    }
}

/// Decides the operation at `scope`, which is the account or below it.
///
/// # Errors
/// The denial.
pub(crate) fn decide(
    snapshot: &Snapshot,
    account: &Account,
    identity: &Identity,
    operation: &'static Operation,
    scope: &Scope,
) -> Result<Permit, Refusal> {
    match identity {
        // A key is the whole account, as on Azure; that is why it is off unless asked for.
        Identity::Key { fingerprint } => Ok(Permit::account_key(&account.scope, operation.action, fingerprint)),
        Identity::Principal(caller) => {
            let request = Request {
                principal: caller.principal.id,
                action: operation.action,
                plane: Plane::Data,
                scope,
                attributes: Attributes::NONE,
            };
            let decision = snapshot.policy().decide(&request);
            decision.permit(&request).map_err(|denial| Refusal::Denied { denial: Box::new(denial), operation })
        }
    }
}

/// Whether the operation is allowed anywhere at the account or below it. Asked before a body is read that names the deployment: whoever
/// may call none of them is refused without the body.
///
/// # Errors
/// The denial at the account.
pub(crate) fn decide_below(
    snapshot: &Snapshot,
    account: &Account,
    identity: &Identity,
    operation: &'static Operation,
) -> Result<(), Refusal> {
    let Err(denied) = decide(snapshot, account, identity, operation, &account.scope) else { return Ok(()) };
    let scopes = identity.caller().map(|caller| snapshot.policy().scopes_below_of(caller.principal.id, &account.scope)).unwrap_or_default();
    if scopes.iter().any(|scope| decide(snapshot, account, identity, operation, scope).is_ok()) { Ok(()) } else { Err(denied) }
}

/// The scope at which a call of the deployment `name` is decided. It need not exist: whoever may not call it learns nothing about
/// that. A name that no ARM id can carry is decided at the account.
pub(crate) fn scope_of(account: &Account, name: &str) -> Scope {
    let plain = !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let scope = if plain { account.scope.join(&format!("deployments/{name}")).ok() } else { None };
    scope.unwrap_or_else(|| account.scope.clone())
}
