//! Asks the policy what it would say, without doing anything.

use std::collections::{BTreeSet, HashSet};

use keyless_audit::DecisionRecord;
use keyless_model::entity::RoleAssignment;
use keyless_model::{Actor, AssignmentId, Scope};
use keyless_rbac::{Attributes, Because, Plane, Policy, Request};
use keyless_store::decision::{of_denial, of_permit};

use super::api::{CanIAnswer, CanIRequest, LocalError, RuleRequest};
use super::door::refusal;
use super::{Door, known, names};

pub(super) fn can_i(door: &Door, wanted: CanIRequest) -> Result<CanIAnswer, LocalError> {
    let snapshot = door.platform.directory.snapshot();
    let principal = names::principal(&snapshot, &wanted.principal)?;
    let scope: Scope = wanted.scope.parse().map_err(|_| refusal(format!("`{}` is no ARM id; write one", wanted.scope)))?;
    let plane = known::plane_of(&snapshot, &wanted.action)?;
    if !wanted.as_recorded {
        known::place(&snapshot, &scope)?;
    }
    let request = Request { principal, action: &wanted.action, plane, scope: &scope, attributes: Attributes::NONE };
    let decision = snapshot.policy().decide(&request);
    let record = decision.clone().permit(&request).map_or_else(|denial| of_denial(&denial), |permit| of_permit(&permit));
    let DecisionRecord { assignment, role, via_group, deny, .. } = record;
    let decided_by = names::rule(&snapshot, &RuleRequest { assignment, role, via_group, deny });
    let because = match &decision.because {
        // By the roles' names: an id would only lead to them.
        Because::ActionNotGranted { nearest } => {
            let names: BTreeSet<String> = nearest
                .iter()
                .filter_map(|id| Some(snapshot.policy().role(snapshot.policy().assignment(*id)?.role)?.role_name.clone()))
                .collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            format!("no assigned role holds the action; assigned at the scope or above: {names}")
        }
        other => other.to_string(),
    };
    let granted_by = if wanted.terse || decision.is_allowed() { Vec::new() } else { would_grant(door, snapshot.policy(), &request) };
    Ok(CanIAnswer {
        allowed: decision.is_allowed(),
        because,
        decided_by,
        principal: principal.to_string(),
        principal_name: names::own(&snapshot, principal),
        principal_type: snapshot.principal(principal).map(|principal| principal.kind.arm_name().to_owned()),
        scope: scope.to_string(),
        granted_by,
    })
}

/// The roles that can be assigned at the scope itself and would then allow it; the narrowest first.
fn would_grant(door: &Door, policy: &Policy, request: &Request<'_>) -> Vec<String> {
    let now = door.platform.begin(Actor::Anonymous).now;
    let known = known_operations(policy);
    let chain = policy.scope_chain(request.scope);
    let mut names: Vec<(usize, String)> = policy
        .roles()
        .filter(|role| role.assignable_scopes.iter().any(|assignable| chain.contains(assignable)))
        .filter_map(|role| {
            let mut tried = policy.clone();
            tried.apply(&keyless_model::entity::Mutation::put(RoleAssignment {
                id: AssignmentId::new(door.platform.entropy.uuid()),
                scope: request.scope.clone(),
                role: role.id,
                principal: request.principal,
                principal_type: "ServicePrincipal".to_owned(),
                condition: None,
                description: None,
                created: now,
                updated: now,
                created_by: None,
            }));
            if !tried.decide(request).is_allowed() {
                return None;
            }
            let allows = |(plane, action): &&(Plane, String)| tried.decide(&Request { plane: *plane, action, ..*request }).is_allowed();
            Some((known.iter().filter(allows).count(), role.role_name.clone()))
        })
        .collect();
    names.sort();
    names.into_iter().map(|(_, name)| name).collect()
}

/// One operation for every action that some role grants: what a role allows of them is how wide it is. A wildcard stands for some
/// operation that no role names.
fn known_operations(policy: &Policy) -> HashSet<(Plane, String)> {
    let granted = policy.roles().flat_map(|role| &role.permissions);
    let both = granted.flat_map(|granted| {
        let control = granted.actions.iter().map(|action| (Plane::Control, action));
        control.chain(granted.data_actions.iter().map(|action| (Plane::Data, action)))
    });
    both.map(|(plane, action)| (plane, action.replace('*', "Keyless.Unnamed/operation"))).collect()
}
