//! `POST /v1.0/applications`. Its ids are ours to choose (case 128); its secrets are made by `addPassword` only.

use keyless_model::entity::Mutation;
use serde::Deserialize;

use super::check_name;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::shape;
use crate::provision::{Means, application};
use crate::routes::directory::bad;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    display_name: String,
    #[serde(default)]
    key_credentials: Vec<serde_json::Value>,
    #[serde(default)]
    password_credentials: Vec<serde_json::Value>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    check_name(&body.display_name)?;
    if !body.key_credentials.is_empty() || !body.password_credentials.is_empty() {
        return Err(bad("Credentials cannot be given with a new application; add a password afterwards."));
    }
    let (_, row) = call
        .commit(|_| {
            let row = application::application(call.tenant(), &body.display_name, Means::of(&call.control.platform, call.ctx.now)).entity;
            Ok((Plan::new(vec![Mutation::put(row.clone())], None, Some(shape::application(&row))), row))
        })
        .await?;
    Ok(Reply::created(shape::application(&row)))
}
