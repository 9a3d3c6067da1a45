//! `GET /providers/{namespace}/operations`: the same operations, in the form in which each provider lists its own.

use serde_json::{Value, json};

use super::{by_namespace, type_of, verb_of};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::providers::unknown;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let asked = call.param("namespace");
    let all = by_namespace();
    let (namespace, operations) = all.iter().find(|(known, _)| known.eq_ignore_ascii_case(asked)).ok_or_else(|| unknown(asked))?;
    let shown = operations.iter().map(|(action, data)| {
        let description = format!("{} of {}", verb_of(action), type_of(action));
        let display =
            json!({ "provider": namespace, "resource": type_of(action), "operation": verb_of(action), "description": description });
        json!({ "name": action, "isDataAction": data, "display": display, "origin": "user,system" })
    });
    Ok(Reply::ok(json!({ "value": shown.collect::<Vec<Value>>() })))
}
