//! `GET …/accounts/{name}/models`: what can be deployed here.

use serde_json::{Value, json};

use crate::answer::Reply;
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::cognitive_services::models::{model, offered};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let account = within::account(&call.snapshot, &call.scope)?;
    let value: Vec<Value> = offered(call, std::iter::once(account)).iter().map(model).collect();
    Ok(Reply::ok(json!({ "value": value })))
}
