//! `PATCH /v1.0/applications/{object id}`: the display name. What is not supported is refused, not ignored: a client that
//! believes it replaced a credential must not be wrong.

use keyless_model::entity::{Application, Mutation};
use serde_json::{Map, Value};

use super::check_name;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::routes::directory::bad;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Map<String, Value> = call.json()?;
    // `az ad sp create-for-rbac` sends an empty list of keys along with the name it already has.
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if let Some((name, _)) = body.iter().find(|(name, value)| name.as_str() != "displayName" && !empty(value)) {
        return Err(bad(format!("The property '{}' of an application cannot be changed here.", name.chars().take(60).collect::<String>())));
    }
    let name = match body.get("displayName") {
        None => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err(bad("The property 'displayName' must be text.")),
    };
    if let Some(name) = &name {
        check_name(name)?;
    }
    call.commit(|snapshot| {
        let row = find::application(call, snapshot, call.param("id"))?;
        let next = Application { display_name: name.clone().unwrap_or_else(|| row.display_name.clone()), ..row.clone() };
        let (before, after) = (shape::application(row), shape::application(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
