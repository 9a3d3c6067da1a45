//! `DELETE /v1.0/applications/{object id}/federatedIdentityCredentials/{name or id}`

use keyless_model::entity::{Entity, Mutation};

use super::federated;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let application = find::application(call, snapshot, call.param("id"))?;
        let row = federated(snapshot, application, call.param("credential"))?;
        Ok((Plan::new(vec![Mutation::Delete(Entity::from(row.clone()).key())], Some(shape::federated(row)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
