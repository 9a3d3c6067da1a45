//! `POST /v1.0/directoryObjects/getByIds`: the objects among those ids; unknown ids are left out, as Graph does.

use keyless_model::entity::PrincipalKind;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::routes::directory::bad;

/// The most ids of one request, as in Graph.
const MOST: usize = 1000;

#[derive(Deserialize)]
struct Body {
    ids: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
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
    let found = body.ids.iter().filter_map(|id| find::principal(call, &call.snapshot, id).ok()).filter(|row| wanted(row.kind));
    let value: Vec<Value> = found.map(|row| shape::object(&call.snapshot, row)).collect();
    let context = format!("{}/v1.0/$metadata#directoryObjects", call.control.platform.endpoints.control);
    Ok(Reply::ok(json!({ "@odata.context": context, "value": value })))
}
