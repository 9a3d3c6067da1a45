//! `POST /v1.0/applications`. Its ids are ours to choose (case 128); its secrets are made by `addPassword` only.

use keyless_directory::plan::application;
use keyless_model::entity::Mutation;
use serde_json::{Map, Value};

use super::properties::Properties;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::shape;
use crate::routes::directory::bad;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let properties = Properties::read(call.json::<Map<String, Value>>()?)?;
    let name = properties.display_name().ok_or_else(|| bad("The property 'displayName' of an application is missing."))?;
    let means = call.means();
    let (_, row) = call
        .commit(|snapshot| {
            let new = application::application(call.tenant(), name, means).entity;
            let row = properties.applied_to(&new, snapshot, means, &call.control.config.federation_audiences)?;
            Ok((Plan::new(vec![Mutation::put(row.clone())], None, Some(shape::application(&row))), row))
        })
        .await?;
    Ok(Reply::created(shape::application(&row)))
}
