//! `/v1.0/directoryObjects`

use http::Method;
use keyless_model::ObjectId;
use keyless_model::entity::PrincipalKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::bad;
use crate::access::Access::DirectoryRead;
use crate::answer::Reply;
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::permitted::Allowed;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "", "/v1.0/directoryObjects/{id}", DirectoryRead, show),
        Route::new(Method::POST, "", "/v1.0/directoryObjects/getByIds", DirectoryRead, get_by_ids),
        Route::new(Method::POST, "", "/v1.0/directoryObjects/{id}/checkMemberGroups", DirectoryRead, check_member_groups),
    ]
}

/// `GET /v1.0/directoryObjects/{object id}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let row = find::principal(&call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::object(&call.snapshot, row)))
}

/// The most ids of one request, as in Graph.
const MOST: usize = 1000;

#[derive(Deserialize)]
struct Ids {
    ids: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
}

/// `POST /v1.0/directoryObjects/getByIds`: the objects among those ids; unknown ids are left out, as Graph does.
async fn get_by_ids(call: Allowed<Ids>) -> Result<Reply, Failure> {
    let body = &call.body;
    if body.ids.len() > MOST {
        return Err(bad(format!("At most {MOST} ids can be looked up at once.")));
    }
    let wanted = |kind: PrincipalKind| {
        let name = match kind {
            PrincipalKind::ManagedIdentity | PrincipalKind::ServicePrincipal => "servicePrincipal",
            PrincipalKind::User => "user",
            PrincipalKind::Group => "group",
        };
        body.types.is_empty()
            || body.types.iter().any(|kind| kind.eq_ignore_ascii_case(name) || kind.eq_ignore_ascii_case("directoryObject"))
    };
    let found = body.ids.iter().filter_map(|id| find::principal(&call, &call.snapshot, id).ok()).filter(|row| wanted(row.kind));
    let value: Vec<Value> = found.map(|row| shape::object(&call.snapshot, row)).collect();
    let context = format!("{}/v1.0/$metadata#directoryObjects", call.control.platform.endpoints.control);
    Ok(Reply::ok(json!({ "@odata.context": context, "value": value })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Groups {
    group_ids: Vec<ObjectId>,
}

/// `POST /v1.0/directoryObjects/{object id}/checkMemberGroups`: which of these groups hold the object, through other groups too.
async fn check_member_groups(call: Allowed<Groups>) -> Result<Reply, Failure> {
    let body = &call.body;
    let row = find::principal(&call, &call.snapshot, call.param("id"))?;
    let held = call.snapshot.policy().groups_of(row.id);
    let value: Vec<ObjectId> = body.group_ids.iter().copied().filter(|id| held.contains(id)).collect();
    Ok(Reply::ok(json!({ "value": value })))
}
