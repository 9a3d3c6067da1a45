//! Objects of the directory by id. Those of another tenant do not exist (case 127).

use keyless_model::entity::{Application, Group, Principal, PrincipalKind, User};
use keyless_model::{ClientId, ObjectId};
use keyless_store::Snapshot;

use crate::call::Call;
use crate::failure::{Code, Failure};

pub(crate) fn missing(id: &str) -> Failure {
    let shown: String = id.chars().take(100).filter(|c| !c.is_control()).collect();
    Failure::new(
        Code::Request_ResourceNotFound,
        format!("Resource '{shown}' does not exist or one of its queried reference-property objects are not present."),
    )
}

/// The object of that id, of any kind.
pub(crate) fn principal<'a>(call: &Call, snapshot: &'a Snapshot, id: &str) -> Result<&'a Principal, Failure> {
    let found = id.parse::<ObjectId>().ok().and_then(|id| snapshot.principal(id)).map(AsRef::as_ref);
    found.filter(|row: &&Principal| row.tenant == call.tenant()).ok_or_else(|| missing(id))
}

/// The service principal of that object id.
pub(crate) fn service_principal<'a>(call: &Call, snapshot: &'a Snapshot, id: &str) -> Result<&'a Principal, Failure> {
    principal(call, snapshot, id).ok().filter(|row| is_service_principal(row)).ok_or_else(|| missing(id))
}

pub(crate) fn is_service_principal(row: &Principal) -> bool {
    matches!(row.kind, PrincipalKind::ManagedIdentity | PrincipalKind::ServicePrincipal)
}

/// The service principal of that client id.
pub(crate) fn service_principal_of<'a>(call: &Call, snapshot: &'a Snapshot, client_id: &str) -> Option<&'a Principal> {
    let client_id: ClientId = client_id.parse().ok()?;
    snapshot.service_principal(client_id).map(AsRef::as_ref).filter(|row| row.tenant == call.tenant())
}

/// The application of that object id.
pub(crate) fn application<'a>(call: &Call, snapshot: &'a Snapshot, id: &str) -> Result<&'a Application, Failure> {
    let found = id.parse::<ObjectId>().ok().and_then(|id| snapshot.application(id)).map(AsRef::as_ref);
    found.filter(|row: &&Application| row.tenant == call.tenant()).ok_or_else(|| missing(id))
}

/// The user of that object id or sign-in name.
pub(crate) fn user<'a>(call: &Call, snapshot: &'a Snapshot, id: &str) -> Result<(&'a Principal, &'a User), Failure> {
    let user = match id.parse::<ObjectId>() {
        Ok(id) => snapshot.user(id),
        Err(_) => snapshot.user_named(id),
    };
    let found = user.and_then(|user| Some((snapshot.principal(user.id)?.as_ref(), user.as_ref())));
    found.filter(|(principal, _)| principal.tenant == call.tenant()).ok_or_else(|| missing(id))
}

/// The group of that object id.
pub(crate) fn group<'a>(call: &Call, snapshot: &'a Snapshot, id: &str) -> Result<(&'a Principal, &'a Group), Failure> {
    let principal = principal(call, snapshot, id)?;
    snapshot.group(principal.id).map(|group| (principal, group.as_ref())).ok_or_else(|| missing(id))
}
