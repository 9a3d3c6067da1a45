//! `DELETE /v1.0/applications/{object id}`: with its service principal and everything that could sign in as it.

use keyless_directory::plan::removal;
use keyless_model::entity::{Entity, FederatedOwner, Mutation};

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let row = find::application(call, snapshot, call.param("id"))?;
        let mut mutations = vec![Mutation::Delete(Entity::from(row.clone()).key())];
        mutations.extend(removal::federated(snapshot, &FederatedOwner::Application(row.id)));
        if let Some(principal) = snapshot.service_principal(row.client_id) {
            mutations.extend(removal::principal(snapshot, principal.id));
        }
        Ok((Plan::new(mutations, Some(shape::application(row)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
