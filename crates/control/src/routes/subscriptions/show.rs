//! `GET /subscriptions/{id}`

use super::{require_sight, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    require_sight(call)?;
    let subscription = call.scope.subscription_id().and_then(|id| call.snapshot.subscription(id)).ok_or_else(Failure::internal)?;
    Ok(Reply::ok(shape(subscription)))
}
