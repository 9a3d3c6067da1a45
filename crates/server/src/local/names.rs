//! Names for what the audit log knows by id.

use keyless_model::ObjectId;
use keyless_model::entity::Principal;
use keyless_store::Snapshot;

use super::Door;
use super::api::{LocalError, PrincipalStatus, RuleRequest, RuleStatus};
use super::attachments::find;
use super::door::refusal;
use super::spelling::nearest;
use super::status::identity_name;

/// Everyone who can act.
pub(super) fn principals(door: &Door) -> Vec<PrincipalStatus> {
    let snapshot = door.platform.directory.snapshot();
    snapshot
        .principals()
        .map(|principal| PrincipalStatus {
            object_id: principal.id.to_string(),
            name: name(&snapshot, principal),
            client_id: principal.client_id.map(|id| id.to_string()),
        })
        .collect()
}

/// The name by which people know a principal.
fn name(snapshot: &Snapshot, principal: &Principal) -> String {
    let user = snapshot.user(principal.id).map(|user| user.user_principal_name.clone());
    user.or_else(|| snapshot.identity_of(principal.id).map(|identity| identity_name(identity)))
        .unwrap_or_else(|| principal.display_name.clone())
}

/// The principal meant: by object id, an identity's name or ids, a person's sign-in name, or the display name of one only.
pub(super) fn principal(snapshot: &Snapshot, named: &str) -> Result<ObjectId, LocalError> {
    if let Ok(id) = named.parse() {
        let of_client = snapshot.principals().find(|principal| principal.client_id.is_some_and(|client| client.to_string() == named));
        return Ok(of_client.map_or(id, |principal| principal.id));
    }
    let all = || snapshot.principals().map(|principal| (principal.id, name(snapshot, principal)));
    let mut found = all().filter(|(_, name)| name.eq_ignore_ascii_case(named));
    if let (Some((id, _)), None) = (found.next(), found.next()) {
        return Ok(id);
    }
    // An identity's resource id, and the words for several or none.
    find(snapshot, named).map(|identity| identity.principal_id).map_err(|refused| {
        let names: Vec<String> = all().map(|(_, name)| name).collect();
        if names.iter().any(|name| name.eq_ignore_ascii_case(named)) {
            return refused;
        }
        let next = nearest(named, names.iter().map(String::as_str))
            .map_or_else(|| "see `keyless identity list` and `keyless user list`".to_owned(), |meant| format!("did you mean `{meant}`?"));
        refusal(format!("nobody here is called `{named}`; {next}"))
    })
}

/// The name of a principal, when it alone has that name.
pub(super) fn own(snapshot: &Snapshot, id: ObjectId) -> Option<String> {
    let named = name(snapshot, snapshot.principal(id)?);
    principal(snapshot, &named).is_ok_and(|found| found == id).then_some(named)
}

/// What an event names, by its names.
pub(super) fn rule(snapshot: &Snapshot, wanted: &RuleRequest) -> Option<RuleStatus> {
    let policy = snapshot.policy();
    if let Some(id) = wanted.deny {
        let deny = policy.deny_assignment(id);
        return Some(RuleStatus {
            id: id.to_string(),
            name: deny.map_or_else(|| "a deny assignment that is gone".to_owned(), |deny| deny.name.clone()),
            scope: deny.map(|deny| deny.scope.to_string()),
            via_group: None,
            denies: true,
        });
    }
    let id = wanted.assignment?;
    let assignment = policy.assignment(id);
    let role = wanted.role.or(assignment.as_ref().map(|assignment| assignment.role));
    let named = role.map(|role| policy.role(role).map_or_else(|| role.to_string(), |role| role.role_name.clone()));
    Some(RuleStatus {
        id: id.to_string(),
        name: named.unwrap_or_else(|| "a role that is gone".to_owned()),
        scope: assignment.map(|assignment| assignment.scope.to_string()),
        via_group: wanted
            .via_group
            .map(|group| snapshot.principal(group).map_or_else(|| group.to_string(), |principal| name(snapshot, principal))),
        denies: false,
    })
}
