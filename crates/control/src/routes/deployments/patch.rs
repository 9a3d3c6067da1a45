//! `PATCH …/deployments/{name}`: capacity and tags.

use keyless_model::entity::{Deployment, Mutation};

use super::body::Body;
use super::{account, find, quota, shape};
use crate::answer::Reply;
use crate::arm::precondition::{self, etag};
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let (_, deployment) = call
        .commit(|snapshot| {
            let current = find(snapshot, &call.scope)?;
            precondition::check(&call.headers, Some(current.version))?;
            let mut next = Deployment { version: current.version + 1, ..current.clone() };
            body.apply(&mut next)?;
            quota::check(call, snapshot, account(snapshot, &call.scope)?, Some(current), &next)?;
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(shape(current)), Some(shape(&next))), next))
        })
        .await?;
    Ok(Reply::ok(shape(&deployment)).etag(&etag(deployment.version)))
}
