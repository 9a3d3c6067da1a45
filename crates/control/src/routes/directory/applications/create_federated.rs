//! `POST /v1.0/applications/{object id}/federatedIdentityCredentials`

use keyless_directory::plan::federation::{self, Wished};
use keyless_model::entity::{FederatedOwner, Mutation};
use serde::Deserialize;

use super::federated;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};

#[derive(Deserialize)]
struct Body {
    name: String,
    #[serde(flatten)]
    wished: Wished,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let (_, row) = call
        .commit(|snapshot| {
            let application = find::application(call, snapshot, call.param("id"))?;
            if federated(snapshot, application, &body.name).is_ok() {
                let message = "FederatedIdentityCredential with the same name already exists.";
                return Err(Failure::conflict("Request_MultipleObjectsWithSameKeyValue", message));
            }
            let owner = FederatedOwner::Application(application.id);
            let (trusted, means) = (&call.control.config.trusted_issuers, call.means());
            let row = federation::plan(snapshot, owner, &body.name, &body.wished, trusted, means)?;
            Ok((Plan::new(vec![Mutation::put(row.clone())], None, Some(shape::federated(&row))), row))
        })
        .await?;
    Ok(Reply::created(shape::federated(&row)))
}
