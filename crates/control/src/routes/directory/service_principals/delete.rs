//! `DELETE /v1.0/servicePrincipals/{object id}`. That of a managed identity goes with the identity only: a principal that vanished
//! under its identity would leave something that looks alive and is not.

use keyless_directory::plan::removal;
use keyless_model::entity::PrincipalKind;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::routes::directory::bad;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let row = find::service_principal(call, snapshot, call.param("id"))?;
        if row.kind == PrincipalKind::ManagedIdentity {
            return Err(bad("The service principal of a managed identity cannot be deleted; delete the identity or its resource."));
        }
        Ok((Plan::new(removal::principal(snapshot, row.id), Some(shape::service_principal(snapshot, row)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
