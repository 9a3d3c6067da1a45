//! `/v1.0`: the part of Microsoft Graph that `az ad` and `az role` need.

mod applications;
mod groups;
mod me;
mod objects;
mod service_principals;
mod users;

use keyless_model::{ObjectId, Scope};
use serde_json::Value;

use crate::answer::Reply;
use crate::arm::page::{Page, Row, foreign_token};
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::filter::{Term, parse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let nouns = [
        me::routes(),
        service_principals::routes(),
        applications::routes(),
        applications::federated::routes(),
        users::routes(),
        groups::routes(),
        objects::routes(),
    ];
    nouns.into_iter().flatten().collect()
}

/// The filter's terms; none without a filter.
fn terms(call: &Call) -> Result<Vec<Term>, Failure> {
    call.query.field("$filter").map_or_else(|| Ok(Vec::new()), |filter| parse(filter).map_err(graph_words))
}

/// 400 for a filter that this list does not know, in Graph's words. Never answered with everything.
fn unsupported(call: &Call) -> Failure {
    graph_words(crate::filter::unsupported(call.query.field("$filter").unwrap_or_default()))
}

fn graph_words(failure: Failure) -> Failure {
    Failure { code: Code::Request_UnsupportedQuery, ..failure }
}

/// The object after which the asked page of a list by object id starts.
fn last(page: &Page) -> Result<Option<ObjectId>, Failure> {
    page.after.as_deref().map(|id| id.parse().map_err(|_| graph_words(foreign_token()))).transpose()
}

/// A page of objects, which come in order of their ids from the page's start on.
fn page_of<T>(call: &Call, page: &Page, rows: impl Iterator<Item = (String, T)>, show: impl Fn(&T) -> Value) -> Result<Reply, Failure> {
    let rows = rows.map(|(key, item)| Row { key, scope: Scope::root(), item });
    let mut reply = page.of_seen(call, rows, show)?;
    if let Some(body) = &mut reply.body {
        let set = call.path.trim_start_matches("/v1.0/").to_owned();
        body["@odata.context"] = format!("{}/v1.0/$metadata#{set}", call.control.platform.endpoints.control).into();
    }
    Ok(reply)
}

/// A page of one or no object.
fn page_of_one<T>(call: &Call, found: Option<T>, show: impl Fn(&T) -> Value) -> Result<Reply, Failure> {
    page_of(call, &Page::asked(call)?, found.into_iter().map(|item| (String::new(), item)), show)
}

/// Whether `text` starts with `prefix`, in any case.
fn starts_with(text: &str, prefix: &str) -> bool {
    text.to_lowercase().starts_with(&prefix.to_lowercase())
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::new(Code::Request_BadRequest, message)
}
