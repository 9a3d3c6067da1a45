//! Whether there is such an action and such a place. A question about what does not exist has no answer: "no" would be blamed on
//! a missing role, and "yes" would be believed.

use std::collections::BTreeSet;

use keyless_model::{Scope, ScopeKind};
use keyless_rbac::Plane;
use keyless_rbac::actions::{AI_DATA, AI_DATA_PREFIX, MANAGEMENT};
use keyless_store::Snapshot;

use super::api::LocalError;
use super::door::refusal;
use super::spelling::nearest;

const CATALOGUE: &str = "`keyless az -- provider operation show --namespace Microsoft.CognitiveServices` lists those of models";

/// The plane on which an action is asked for.
///
/// # Errors
/// When nothing asks for it: it is misspelt, or no operation of this system.
pub(super) fn plane_of(snapshot: &Snapshot, action: &str) -> Result<Plane, LocalError> {
    let is = |known: &str| known.eq_ignore_ascii_case(action);
    let below =
        |prefix: &str| action.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix)).and(action.get(prefix.len()..));
    if below(AI_DATA_PREFIX).is_some_and(|rest| AI_DATA.iter().any(|known| known.eq_ignore_ascii_case(rest))) {
        return Ok(Plane::Data);
    }
    if MANAGEMENT.iter().any(|known| is(known)) || is_of_a_resource(snapshot, action) {
        return Ok(Plane::Control);
    }
    // Whoever writes a role may name actions of services that are not here.
    let granted = || snapshot.policy().roles().flat_map(|role| &role.permissions);
    if granted().flat_map(|granted| &granted.data_actions).any(|known| is(known)) {
        return Ok(Plane::Data);
    }
    if granted().flat_map(|granted| &granted.actions).any(|known| is(known)) {
        return Ok(Plane::Control);
    }
    Err(unknown_action(action))
}

/// Resources of any type are kept, and have the three actions that every type has.
fn is_of_a_resource(snapshot: &Snapshot, action: &str) -> bool {
    let Some((kind, verb)) = action.rsplit_once('/') else { return false };
    ["read", "write", "delete"].iter().any(|known| known.eq_ignore_ascii_case(verb))
        && snapshot.resources_below(&Scope::root()).any(|resource| resource.scope.is_type(kind))
}

fn unknown_action(action: &str) -> LocalError {
    let data: Vec<String> = AI_DATA.iter().map(|action| format!("{AI_DATA_PREFIX}{action}")).collect();
    let all = || data.iter().map(String::as_str).chain(MANAGEMENT.iter().copied());
    // A single word is looked for among the words of the actions: `chat` is part of what was meant.
    let holds = |known: &&str| known.split('/').any(|word| word.eq_ignore_ascii_case(action));
    let meant = if action.contains('/') { nearest(action, all()) } else { all().find(holds) };
    let next = meant.map_or_else(|| CATALOGUE.to_owned(), |meant| format!("did you mean {meant} ?"));
    refusal(format!("there is no action `{action}`; {next}"))
}

/// # Errors
/// When there is nothing at that place.
pub(super) fn place(snapshot: &Snapshot, scope: &Scope) -> Result<(), LocalError> {
    if exists(snapshot, scope) {
        return Ok(());
    }
    let (kind, name) = (scope.resource_type().unwrap_or_default(), scope.name());
    let account = scope.parent().filter(|_| scope.is_type("Microsoft.CognitiveServices/accounts/deployments"));
    let Some(account) = account else {
        let kind = if kind.is_empty() { "scope" } else { kind.as_str() };
        return Err(refusal(format!("there is no {kind} `{name}` at {scope}; `keyless status` shows accounts and deployments")));
    };
    let deployments: BTreeSet<&str> = snapshot.deployments_of(&account).map(|deployment| deployment.scope.name()).collect();
    let next = match (nearest(name, deployments.iter().copied()), deployments.is_empty()) {
        (Some(meant), _) => format!("did you mean `{}/{meant}`?", account.name()),
        (None, false) => format!("it has {}", deployments.into_iter().collect::<Vec<_>>().join(", ")),
        (None, true) => "it has none".to_owned(),
    };
    Err(refusal(format!("the account {} has no deployment `{name}`; {next}", account.name())))
}

fn exists(snapshot: &Snapshot, scope: &Scope) -> bool {
    match scope.kind() {
        ScopeKind::Root => true,
        ScopeKind::ManagementGroup => snapshot.management_group(scope.name()).is_some(),
        ScopeKind::Subscription => scope.subscription_id().is_some_and(|id| snapshot.subscription(id).is_some()),
        ScopeKind::ResourceGroup => snapshot.resource_group(scope).is_some(),
        ScopeKind::Resource => {
            let account = |scope: &Scope| snapshot.account(scope).is_some_and(|account| account.deleted.is_none());
            let deployment =
                || scope.parent().is_some_and(|parent| account(&parent) && snapshot.deployment(&parent, scope.name()).is_some());
            account(scope)
                || (scope.is_type("Microsoft.CognitiveServices/accounts/deployments") && deployment())
                || snapshot.user_assigned(scope).is_some()
                || snapshot.host(scope).is_some()
                || snapshot.resource(scope).is_some()
        }
    }
}
