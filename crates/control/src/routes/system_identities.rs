//! `Microsoft.ManagedIdentity/identities/default`: the identity that a resource has of its own.

use http::Method;
use keyless_model::entity::AssignedIdentities;
use serde_json::json;

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::arm::within;
use crate::failure::{Code, Failure};
use crate::permitted::Allowed;
use crate::route::{ANYWHERE, Route};

const READ: &str = "Microsoft.ManagedIdentity/identities/read";

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(Method::GET, ANYWHERE, "/providers/Microsoft.ManagedIdentity/identities/default", Action(READ), show)]
}

/// `GET {resource}/providers/Microsoft.ManagedIdentity/identities/default`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let (snapshot, scope) = (&call.snapshot, &call.scope);
    let carried = |identities: &AssignedIdentities, location: &str| Some((identities.system?, location.to_owned()));
    let found = match snapshot.host(scope) {
        Some(host) => carried(&host.identity, &host.location),
        None => within::account(snapshot, scope).ok().and_then(|account| carried(&account.identity, &account.location)),
    };
    let missing = || Failure::new(Code::ResourceNotFound, format!("The resource '{scope}' has no system-assigned identity."));
    let (client, location) = found.ok_or_else(missing)?;
    let identity = snapshot.identity(client).ok_or_else(missing)?;
    Ok(Reply::ok(json!({
        "id": format!("{scope}/providers/Microsoft.ManagedIdentity/identities/default"),
        "name": "default",
        "type": "Microsoft.ManagedIdentity/identities",
        "location": location,
        "properties": { "tenantId": identity.tenant, "principalId": identity.principal_id, "clientId": identity.client_id },
    })))
}
