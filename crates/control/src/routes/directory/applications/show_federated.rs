//! `GET /v1.0/applications/{object id}/federatedIdentityCredentials/{name or id}`

use super::federated;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let application = find::application(call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::federated(federated(&call.snapshot, application, call.param("credential"))?)))
}
