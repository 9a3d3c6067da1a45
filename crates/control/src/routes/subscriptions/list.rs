//! `GET /subscriptions`: those the caller sees; none is an empty list, not a refusal.

use serde_json::{Value, json};

use super::{sees, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let seen: Vec<Value> = call.snapshot.subscriptions().filter(|row| sees(call, row)).map(|row| shape(row)).collect();
    Ok(Reply::ok(json!({ "value": seen, "count": { "type": "Total", "value": seen.len() } })))
}
