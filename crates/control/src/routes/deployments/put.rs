//! `PUT …/deployments/{name}`

use keyless_directory::plan::deployment::{self, NewDeployment};
use keyless_model::entity::{Deployment, Mutation};
use keyless_model::name;

use super::body::Body;
use super::{DEFAULT_CAPACITY, account, quota, shape};
use crate::answer::Reply;
use crate::arm::precondition::{self, etag};
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    name::deployment(call.scope.name()).map_err(|error| Failure::invalid("InvalidResourceName", error.to_string()))?;
    let (_, (new, deployment)) = call
        .commit(|snapshot| {
            let account = account(snapshot, &call.scope)?;
            let current = snapshot.deployment(&account.scope, call.scope.name());
            precondition::check(&call.headers, current.map(|row| row.version))?;
            let mut next = match current {
                Some(current) => Deployment { version: current.version + 1, ..current.as_ref().clone() },
                None => {
                    let model = body.properties.model.clone().ok_or_else(|| {
                        Failure::invalid("InvalidResourceProperties", "The property 'properties.model' is required.").at("properties.model")
                    })?;
                    let scope = deployment::scope(&account.scope, call.scope.name()).map_err(|_| Failure::no_such(&call.scope))?;
                    let new = NewDeployment {
                        scope,
                        model,
                        sku: "Standard".to_owned(),
                        capacity: DEFAULT_CAPACITY,
                        upstream: None,
                        tags: Default::default(),
                    };
                    deployment::deployment(new, call.means()).entity
                }
            };
            body.apply(&mut next)?;
            quota::check(call, snapshot, account, current.map(AsRef::as_ref), &next)?;
            let plan = Plan::new(vec![Mutation::put(next.clone())], current.map(|row| shape(row)), Some(shape(&next)));
            Ok((plan, (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&deployment)).etag(&etag(deployment.version)))
}
