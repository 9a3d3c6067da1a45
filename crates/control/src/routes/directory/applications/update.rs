//! `PATCH /v1.0/applications/{object id}`. Ids cannot be changed, and passwords only by `addPassword` and `removePassword`.

use keyless_model::entity::Mutation;
use serde_json::{Map, Value};

use super::properties::Properties;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let properties = Properties::read(call.json::<Map<String, Value>>()?)?;
    call.commit(|snapshot| {
        let row = find::application(call, snapshot, call.param("id"))?;
        let next = properties.applied_to(row, snapshot, call.means(), &call.control.config.federation_audiences)?;
        let (before, after) = (shape::application(row), shape::application(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
