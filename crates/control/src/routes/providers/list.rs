//! `GET /subscriptions/{id}/providers`, and `GET /providers` for those of the program.

use serde_json::{Value, json};

use super::{PROVIDERS, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::subscriptions;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    subscriptions::require_sight(call)?;
    let location = &call.control.config.location;
    let value: Vec<Value> = PROVIDERS.iter().map(|(namespace, types)| shape(&call.scope, namespace, types, location)).collect();
    Ok(Reply::ok(json!({ "value": value })))
}
