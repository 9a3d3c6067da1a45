//! `PATCH /v1.0/users/{object id or sign-in name}`: display name, and enable or disable.

use keyless_model::entity::{Mutation, Principal};
use keyless_model::name;
use serde_json::{Map, Value};

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::routes::directory::bad;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Map<String, Value> = call.json()?;
    let (mut display, mut enabled) = (None, None);
    for (property, value) in &body {
        match (property.as_str(), value) {
            ("displayName", Value::String(name)) => {
                name::display(name, "a user", 256).map_err(|error| bad(error.to_string()))?;
                display = Some(name.clone());
            }
            ("accountEnabled", Value::Bool(on)) => enabled = Some(*on),
            _ => {
                return Err(bad(format!(
                    "The property '{}' of a user cannot be changed here.",
                    property.chars().take(60).collect::<String>()
                )));
            }
        }
    }
    call.commit(|snapshot| {
        let (principal, user) = find::user(call, snapshot, call.param("id"))?;
        let next = Principal {
            display_name: display.clone().unwrap_or_else(|| principal.display_name.clone()),
            enabled: enabled.unwrap_or(principal.enabled),
            ..principal.clone()
        };
        let (before, after) = (shape::user(principal, user), shape::user(&next, user));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
