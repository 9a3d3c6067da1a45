//! `GET /providers/Microsoft.Authorization/providerOperations`

use serde_json::{Value, json};

use super::{by_namespace, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(_: &Call) -> Result<Reply, Failure> {
    let value: Vec<Value> = by_namespace().iter().map(|(namespace, operations)| shape(namespace, operations)).collect();
    Ok(Reply::ok(json!({ "value": value })))
}
