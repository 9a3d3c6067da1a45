//! `PATCH /v1.0/servicePrincipals/{object id}`: enable or disable. A disabled principal's tokens stop working at once.

use keyless_model::entity::{Mutation, Principal};
use serde::Deserialize;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    account_enabled: Option<bool>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    call.commit(|snapshot| {
        let row = find::service_principal(call, snapshot, call.param("id"))?;
        let next = Principal { enabled: body.account_enabled.unwrap_or(row.enabled), ..row.clone() };
        let (before, after) = (shape::service_principal(snapshot, row), shape::service_principal(snapshot, &next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
