//! `POST /subscriptions/{id}/providers/{namespace}/unregister`: refused, because a provider here is part of the program and cannot be
//! taken out of a subscription.

use super::{named, unknown};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let (namespace, _) = named(call.param("namespace")).ok_or_else(|| unknown(call.param("namespace")))?;
    let message =
        format!("The resource provider '{namespace}' is part of Keyless and cannot be unregistered; withhold roles on it instead.");
    Err(Failure::conflict("ResourceProviderCannotBeUnregistered", message))
}
