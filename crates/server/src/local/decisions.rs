//! Asks the policy what it would say, without doing anything.

use keyless_model::entity::RoleAssignment;
use keyless_model::{Actor, AssignmentId, ObjectId, Scope};
use keyless_rbac::{Attributes, Plane, Policy, Request};

use super::Door;
use super::api::{CanIAnswer, CanIRequest, LocalError};
use super::attachments::find;
use super::door::refusal;

/// Data actions of the AI accounts start so; everything else is asked of the control plane.
const DATA_ACTIONS: &str = "microsoft.cognitiveservices/accounts/openai/";

pub(super) fn can_i(door: &Door, wanted: CanIRequest) -> Result<CanIAnswer, LocalError> {
    let snapshot = door.platform.directory.snapshot();
    let principal: ObjectId = match wanted.principal.parse() {
        Ok(id) => id,
        Err(_) => find(&snapshot, &wanted.principal)?.principal_id,
    };
    let scope: Scope = match wanted.scope.parse() {
        Ok(scope) => scope,
        Err(_) => named(door, &wanted.scope)?,
    };
    let plane = if wanted.action.to_ascii_lowercase().starts_with(DATA_ACTIONS) { Plane::Data } else { Plane::Control };
    let request = Request { principal, action: &wanted.action, plane, scope: &scope, attributes: Attributes::NONE };
    let decision = snapshot.policy().decide(&request);
    let granted_by = if decision.is_allowed() { Vec::new() } else { would_grant(door, snapshot.policy(), &request) };
    Ok(CanIAnswer {
        allowed: decision.is_allowed(),
        because: decision.because.to_string(),
        principal: principal.to_string(),
        scope: scope.to_string(),
        granted_by,
    })
}

/// The built-in roles that would allow it, were they assigned at the scope itself.
fn would_grant(door: &Door, policy: &Policy, request: &Request<'_>) -> Vec<String> {
    let now = door.platform.begin(Actor::Anonymous).now;
    let mut names: Vec<String> = policy
        .roles()
        .filter(|role| {
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
            tried.decide(request).is_allowed()
        })
        .map(|role| role.role_name.clone())
        .collect();
    names.sort();
    names
}

/// `account` or `account/deployment`, as people write scopes.
fn named(door: &Door, text: &str) -> Result<Scope, LocalError> {
    let snapshot = door.platform.directory.snapshot();
    let (account, deployment) = text.split_once('/').map_or((text, None), |(account, deployment)| (account, Some(deployment)));
    let unknown = || refusal(format!("`{text}` is no scope; use an account's name, account/deployment, or an ARM id"));
    let found =
        snapshot.accounts_below(&Scope::root()).find(|found| found.deleted.is_none() && found.scope.name().eq_ignore_ascii_case(account));
    let account = found.ok_or_else(unknown)?.scope.clone();
    match deployment {
        None => Ok(account),
        Some(name) => account.join(&format!("deployments/{name}")).map_err(|_| unknown()),
    }
}
