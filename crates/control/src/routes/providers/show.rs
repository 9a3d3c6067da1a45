//! `GET /subscriptions/{id}/providers/{namespace}` and `POST …/register`. Everything is registered from the start.

use super::{named, shape, unknown};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::subscriptions;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    subscriptions::require_sight(call)?;
    let asked = call.param("namespace");
    let Some((namespace, types)) = named(asked) else {
        return Err(unknown(asked));
    };
    Ok(Reply::ok(shape(&call.scope, namespace, types, &call.control.config.location)))
}
