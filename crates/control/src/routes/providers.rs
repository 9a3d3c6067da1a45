//! Resource providers: which types and api-versions there are. `az resource` asks before it touches a resource by id.

use std::sync::Arc;

use http::Method;
use keyless_model::Scope;
use serde_json::{Value, json};

use crate::access::Access::Namespace;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::permitted::Allowed;
use crate::route::{Route, SUBSCRIPTION};
use crate::routes::{PROVIDERS, subscriptions};

const ALL: &str = "/providers";
const NAMED: &str = "/providers/{namespace}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::own(SUBSCRIPTION, ALL, list),
        Route::own("", ALL, list),
        Route::own(SUBSCRIPTION, NAMED, show),
        Route::new(Method::POST, SUBSCRIPTION, "/providers/{namespace}/register", Namespace("register/action"), register),
        Route::own("", NAMED, show),
        Route::own(SUBSCRIPTION, "/providers/{namespace}/resourceTypes", types),
        Route::new(Method::POST, SUBSCRIPTION, "/providers/{namespace}/unregister", Namespace("unregister/action"), unregister),
    ]
}

/// The api-versions that clients are told of. Any version is accepted; the first stable one is what `az resource` then sends.
const VERSIONS: &[&str] = &["2024-10-01", "2023-05-01", "2025-04-01-preview"];

/// The provider of that namespace, in its own spelling. One that is not listed holds generic resources and has no types to tell.
fn named(namespace: &str) -> Option<(&'static str, &'static [&'static str])> {
    PROVIDERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(namespace)).copied()
}

pub(super) fn unknown(namespace: &str) -> Failure {
    let shown: String = namespace.chars().take(100).filter(|c| !c.is_control()).collect();
    Failure::new(Code::InvalidResourceNamespace, format!("The resource namespace '{shown}' is invalid."))
}

/// The provider as ARM shows it to a question at a subscription or at the root.
fn shape(at: &Scope, namespace: &str, types: &[&str], location: &str) -> Value {
    let types: Vec<Value> = types
        .iter()
        .map(|kind| json!({ "resourceType": kind, "locations": [location, "East US"], "apiVersions": VERSIONS, "capabilities": "None" }))
        .collect();
    json!({
        "id": format!("{}/providers/{namespace}", at.as_str().trim_end_matches('/')),
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": types,
    })
}

/// `GET /subscriptions/{id}/providers`, and `GET /providers` for those of the program.
async fn list(call: Arc<Call>) -> Result<Reply, Failure> {
    subscriptions::require_sight(&call)?;
    let location = &call.control.config.location;
    let value: Vec<Value> = PROVIDERS.iter().map(|(namespace, types)| shape(&call.scope, namespace, types, location)).collect();
    Ok(Reply::ok(json!({ "value": value })))
}

/// `GET /subscriptions/{id}/providers/{namespace}` and `POST …/register`. Everything is registered from the start.
async fn show(call: Arc<Call>) -> Result<Reply, Failure> {
    shown(&call).map(Reply::ok)
}

async fn register(call: Allowed) -> Result<Reply, Failure> {
    shown(&call).map(Reply::ok)
}

fn shown(call: &Call) -> Result<Value, Failure> {
    subscriptions::require_sight(call)?;
    let asked = call.param("namespace");
    let (namespace, types) = named(asked).ok_or_else(|| unknown(asked))?;
    Ok(shape(&call.scope, namespace, types, &call.control.config.location))
}

/// `GET /subscriptions/{id}/providers/{namespace}/resourceTypes`
async fn types(call: Arc<Call>) -> Result<Reply, Failure> {
    Ok(Reply::ok(json!({ "value": shown(&call)?["resourceTypes"] })))
}

/// `POST /subscriptions/{id}/providers/{namespace}/unregister`: refused, because a provider here is part of the program and cannot be
/// taken out of a subscription.
async fn unregister(call: Allowed) -> Result<Reply, Failure> {
    let (namespace, _) = named(call.param("namespace")).ok_or_else(|| unknown(call.param("namespace")))?;
    let message =
        format!("The resource provider '{namespace}' is part of Keyless and cannot be unregistered; withhold roles on it instead.");
    Err(Failure::new(Code::ResourceProviderCannotBeUnregistered, message))
}
