//! `/v1.0`: the part of Microsoft Graph that `az ad` and `az role` need.

pub(super) mod applications;
pub(super) mod groups;
pub(super) mod me;
pub(super) mod objects;
pub(super) mod service_principals;
pub(super) mod users;

use keyless_model::Scope;
use serde_json::Value;

use crate::answer::Reply;
use crate::arm::page::{Row, page_of_seen};
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Term, parse};

/// The filter's terms; none without a filter.
fn terms(call: &Call) -> Result<Vec<Term>, Failure> {
    call.query.field("$filter").map_or_else(|| Ok(Vec::new()), |filter| parse(filter).map_err(graph_words))
}

/// 400 for a filter that this list does not know, in Graph's words. Never answered with everything.
fn unsupported(call: &Call) -> Failure {
    graph_words(crate::filter::unsupported(call.query.field("$filter").unwrap_or_default()))
}

fn graph_words(failure: Failure) -> Failure {
    Failure { code: "Request_UnsupportedQuery".into(), ..failure }
}

/// A page of objects by id.
fn list(call: &Call, rows: impl Iterator<Item = (String, Value)>) -> Result<Reply, Failure> {
    let rows = rows.map(|(key, item)| Row { key, scope: Scope::root(), item }).collect();
    let mut reply = page_of_seen(call, rows, "", Value::clone)?;
    if let Some(body) = &mut reply.body {
        let set = call.path.trim_start_matches("/v1.0/").to_owned();
        body["@odata.context"] = format!("{}/v1.0/$metadata#{set}", call.control.platform.endpoints.control).into();
    }
    Ok(reply)
}

/// Whether `text` starts with `prefix`, in any case.
fn starts_with(text: &str, prefix: &str) -> bool {
    text.to_lowercase().starts_with(&prefix.to_lowercase())
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::invalid("Request_BadRequest", message)
}
