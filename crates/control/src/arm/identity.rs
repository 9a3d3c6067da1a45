//! `identity` of a host or account: what is wished, what that changes, and how it is shown.
//!
//! SECURITY: only `type` and the keys of `userAssignedIdentities` are read. `principalId`, `clientId` and `tenantId` in a body are
//! ignored: they are ours to say (case 128).

use std::collections::{BTreeMap, BTreeSet};

use keyless_directory::plan::{identity, removal};
use keyless_model::Scope;
use keyless_model::entity::{AssignedIdentities, Mutation};
use keyless_rbac::Attributes;
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::failure::{Code, Failure};

const ASSIGN: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

/// The `identity` block of a body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdentityBody {
    #[serde(rename = "type")]
    kind: String,
    /// By id; null takes one away.
    #[serde(default)]
    user_assigned_identities: Option<BTreeMap<String, Value>>,
}

/// The identities that a resource shall carry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) system: bool,
    pub(crate) user: BTreeSet<Scope>,
}

impl IdentityBody {
    /// What the body wishes for a resource that carries `current`. A PATCH adds to the attached identities and takes away those
    /// that it maps to null; a PUT names all of them.
    pub(crate) fn wish(&self, current: &AssignedIdentities, patch: bool) -> Result<Wish, Failure> {
        let invalid = |why: String| Failure::new(Code::InvalidIdentityType, why).at("identity");
        let words: BTreeSet<String> = self.kind.split(',').map(|word| word.trim().to_ascii_lowercase()).collect();
        let known = words.iter().all(|word| matches!(word.as_str(), "none" | "systemassigned" | "userassigned"));
        let none = words.contains("none");
        if !known || (none && words.len() > 1) {
            return Err(invalid(
                "The identity type must be None, SystemAssigned, UserAssigned or 'SystemAssigned, UserAssigned'.".to_owned(),
            ));
        }
        let mut user = if patch { current.user.clone() } else { BTreeSet::new() };
        for (id, value) in self.user_assigned_identities.iter().flatten() {
            let scope: Scope = id.parse().map_err(|_| invalid("An identity id is no resource id.".to_owned()))?;
            if value.is_null() {
                user.remove(&scope);
            } else {
                user.insert(scope);
            }
        }
        match words.contains("userassigned") {
            true if user.is_empty() => {
                Err(invalid("The identity type UserAssigned needs identities in 'userAssignedIdentities'.".to_owned()))
            }
            false if self.user_assigned_identities.iter().flatten().any(|(_, value)| !value.is_null()) => {
                Err(invalid("Identities are named, but the identity type does not say UserAssigned.".to_owned()))
            }
            assigned => Ok(Wish { system: words.contains("systemassigned"), user: if assigned { user } else { BTreeSet::new() } }),
        }
    }
}

/// What it takes to give the resource at `owner` the wished identities: the new block, and the mutations besides the resource's.
///
/// Attaching an identity lends its power to whoever controls the resource, so the caller needs `assign/action` on each one that
/// is newly attached (case 126).
pub(crate) fn change(
    call: &Call,
    snapshot: &Snapshot,
    owner: (&Scope, &str),
    current: &AssignedIdentities,
    wish: &Wish,
) -> Result<(AssignedIdentities, Vec<Mutation>), Failure> {
    let (scope, location) = owner;
    let mut next = AssignedIdentities { system: current.system, user: BTreeSet::new() };
    for id in &wish.user {
        let attached = current.user.contains(id);
        if !attached {
            require_assign(call, snapshot, id)?;
        }
        // The caller may assign it, so may know whether it exists.
        let known = snapshot.user_assigned(id).filter(|known| known.tenant == call.tenant());
        next.user.insert(known.ok_or_else(|| not_linked(call, id))?.scope.clone());
    }
    let mut mutations = Vec::new();
    match (wish.system, current.system) {
        (true, None) => {
            let own = identity::system_assigned(scope, call.tenant(), location, call.means());
            next.system = Some(own.entity.client_id);
            mutations = own.mutations;
        }
        (false, Some(_)) => {
            mutations = removal::system_assigned(snapshot, current);
            next.system = None;
        }
        _ => {}
    }
    Ok((next, mutations))
}

fn require_assign(call: &Call, snapshot: &Snapshot, id: &Scope) -> Result<(), Failure> {
    match call.ask(snapshot, ASSIGN, id, Attributes::NONE) {
        Ok(_) => Ok(()),
        Err(denial) => Err(not_linked(call, id).denied_by(*denial)),
    }
}

fn not_linked(call: &Call, id: &Scope) -> Failure {
    let message = format!(
        "The client '{}' with object id '{}' has permission to perform action '{}' on scope '{}'; however, it does not have permission to \
         perform action(s) '{ASSIGN}' on the linked scope(s) '{id}' (respectively) or the linked scope(s) are invalid.",
        call.client_name(),
        call.me(),
        call.action.as_deref().unwrap_or_default(),
        call.scope
    );
    Failure::new(Code::LinkedAuthorizationFailed, message)
}

/// The block as ARM shows it; `None` for a resource that carries nothing.
pub(crate) fn shape(snapshot: &Snapshot, identities: &AssignedIdentities) -> Option<Value> {
    let system = identities.system.and_then(|client| snapshot.identity(client));
    let kind = match (system.is_some(), identities.user.is_empty()) {
        (false, true) => return None,
        (true, true) => "SystemAssigned",
        (false, false) => "UserAssigned",
        (true, false) => "SystemAssigned, UserAssigned",
    };
    let mut block = json!({ "type": kind });
    if let Some(system) = system {
        block["principalId"] = system.principal_id.to_string().into();
        block["tenantId"] = system.tenant.to_string().into();
    }
    if !identities.user.is_empty() {
        let user: Map<String, Value> = identities
            .user
            .iter()
            .filter_map(|id| snapshot.user_assigned(id))
            .map(|known| (known.scope.to_string(), json!({ "principalId": known.principal_id, "clientId": known.client_id })))
            .collect();
        block["userAssignedIdentities"] = user.into();
    }
    Some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi";

    fn wish(body: Value, current: &AssignedIdentities, patch: bool) -> Result<Wish, Failure> {
        serde_json::from_value::<IdentityBody>(body).unwrap().wish(current, patch)
    }

    #[test]
    fn types_are_read_in_any_case_and_order() {
        let none = AssignedIdentities::default();
        for kind in ["SystemAssigned,UserAssigned", "UserAssigned, SystemAssigned", "systemassigned, userassigned"] {
            let wish = wish(json!({ "type": kind, "userAssignedIdentities": { ID: {} } }), &none, false).unwrap();
            assert!(wish.system && wish.user.len() == 1, "{kind}");
        }
        for kind in ["", "Everything", "None, SystemAssigned", "UserAssigned"] {
            assert_eq!(wish(json!({ "type": kind }), &none, false).unwrap_err().status, 400, "{kind}");
        }
    }

    #[test]
    fn a_patch_adds_and_takes_away_where_a_put_replaces() {
        let other = ID.replace("/mi", "/other");
        let current = AssignedIdentities { system: None, user: BTreeSet::from([other.parse().unwrap()]) };
        let body = json!({ "type": "UserAssigned", "userAssignedIdentities": { ID: { "principalId": "ignored" } } });
        assert_eq!(wish(body.clone(), &current, true).unwrap().user.len(), 2);
        assert_eq!(wish(body, &current, false).unwrap().user.len(), 1);
        let away = json!({ "type": "UserAssigned", "userAssignedIdentities": { ID: {}, other: null } });
        assert_eq!(wish(away, &current, true).unwrap().user, BTreeSet::from([ID.parse().unwrap()]));
    }
}
