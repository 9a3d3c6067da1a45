//! What can be asked for at all: the actions of the route tables and the data actions of AI accounts. Whoever writes a custom role
//! looks here. The same for everyone, so any caller may read it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use keyless_rbac::actions::{AI_DATA, AI_DATA_PREFIX, MANAGEMENT};
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::route::Route;
use crate::routes::providers::unknown;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::own("", "/providers/Microsoft.Authorization/providerOperations", list),
        Route::own("", "/providers/Microsoft.Authorization/providerOperations/{namespace}", show),
        Route::own("", "/providers/{namespace}/operations", operations),
    ]
}

/// An action and whether it is a data action.
type Operation = (String, bool);

/// The operations of each namespace.
fn by_namespace() -> BTreeMap<&'static str, BTreeSet<Operation>> {
    let mut found: BTreeMap<&'static str, BTreeSet<Operation>> = BTreeMap::new();
    for action in MANAGEMENT {
        found.entry(namespace_of(action)).or_default().insert(((*action).to_owned(), false));
    }
    let data = found.entry(namespace_of(AI_DATA_PREFIX)).or_default();
    data.extend(AI_DATA.iter().map(|action| (format!("{AI_DATA_PREFIX}{action}"), true)));
    found
}

fn namespace_of(action: &str) -> &str {
    action.split('/').next().unwrap_or_default()
}

/// The resource type of an action without its namespace: `accounts/deployments` of `…/accounts/deployments/write`. Empty for actions
/// of the namespace itself.
fn type_of(action: &str) -> String {
    let words: Vec<&str> = action.split('/').skip(1).collect();
    let verbs = if words.last().is_some_and(|last| last.eq_ignore_ascii_case("action")) { 2 } else { 1 };
    words.get(..words.len().saturating_sub(verbs)).unwrap_or_default().join("/")
}

/// How an operation is called for people: `listKeys` for `…/accounts/listKeys/action`, `write` for `…/accounts/write`.
fn verb_of(action: &str) -> &str {
    let mut words = action.rsplit('/');
    let last = words.next().unwrap_or_default();
    if last.eq_ignore_ascii_case("action") { words.next().unwrap_or(last) } else { last }
}

/// A namespace in the form of `Microsoft.Authorization/providerOperations`.
fn shape(namespace: &str, operations: &BTreeSet<Operation>) -> Value {
    let shown = |(action, data): &Operation| {
        json!({
            "name": action,
            "displayName": verb_of(action),
            "description": format!("{} of {}", verb_of(action), type_of(action)),
            "isDataAction": data,
        })
    };
    let types: BTreeSet<String> = operations.iter().map(|(action, _)| type_of(action)).filter(|kind| !kind.is_empty()).collect();
    let of = |kind: &str| operations.iter().filter(|(action, _)| type_of(action) == kind).map(shown).collect::<Vec<_>>();
    json!({
        "id": format!("/providers/Microsoft.Authorization/providerOperations/{namespace}"),
        "name": namespace,
        "type": "Microsoft.Authorization/providerOperations",
        "displayName": namespace,
        "operations": of(""),
        "resourceTypes": types.iter().map(|kind| json!({ "name": kind, "displayName": kind, "operations": of(kind) })).collect::<Vec<_>>(),
    })
}

/// `GET /providers/Microsoft.Authorization/providerOperations`
async fn list(_: Arc<Call>) -> Result<Reply, Failure> {
    let value: Vec<Value> = by_namespace().iter().map(|(namespace, operations)| shape(namespace, operations)).collect();
    Ok(Reply::ok(json!({ "value": value })))
}

/// `GET /providers/Microsoft.Authorization/providerOperations/{namespace}`: what `az provider operation show` prints.
async fn show(call: Arc<Call>) -> Result<Reply, Failure> {
    let asked = call.param("namespace");
    let all = by_namespace();
    let (namespace, operations) = all.iter().find(|(known, _)| known.eq_ignore_ascii_case(asked)).ok_or_else(|| unknown(asked))?;
    Ok(Reply::ok(shape(namespace, operations)))
}

/// `GET /providers/{namespace}/operations`: the same operations, in the form in which each provider lists its own.
async fn operations(call: Arc<Call>) -> Result<Reply, Failure> {
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
