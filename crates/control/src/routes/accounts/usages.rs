//! `GET …/accounts/{name}/usages`: the capacity that its deployments take.

use serde_json::json;

use crate::answer::Reply;
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::cognitive_services::usages::{count, shown};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let account = within::account(&call.snapshot, &call.scope)?;
    Ok(Reply::ok(json!({ "value": shown(call, count(&call.snapshot, std::iter::once(account))) })))
}
