//! `GET /providers/Microsoft.Management/managementGroups/{name}[?$expand=children]`

use serde_json::{Value, json};

use super::{find, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let group = find(call, &call.snapshot, call.param("name"))?;
    let mut body = shape(group);
    if call.query.field("$expand").is_some_and(|what| what.eq_ignore_ascii_case("children")) {
        let is_parent = |parent: &Option<String>| parent.as_ref().is_some_and(|parent| parent.eq_ignore_ascii_case(&group.name));
        let groups = call.snapshot.management_groups().filter(|row| is_parent(&row.parent)).map(|row| {
            json!({ "id": format!("/providers/Microsoft.Management/managementGroups/{}", row.name), "name": row.name, "displayName": row.display_name, "type": "Microsoft.Management/managementGroups" })
        });
        let subscriptions = call.snapshot.subscriptions().filter(|row| is_parent(&row.management_group)).map(|row| {
            json!({ "id": format!("/subscriptions/{}", row.id), "name": row.id, "displayName": row.display_name, "type": "/subscriptions" })
        });
        body["properties"]["children"] = groups.chain(subscriptions).collect::<Vec<Value>>().into();
    }
    Ok(Reply::ok(body))
}
