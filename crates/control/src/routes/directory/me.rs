//! `/v1.0/me`

use std::sync::Arc;

use keyless_model::entity::PrincipalKind;
use serde_json::Value;

use super::{bad, page_of_one};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::shape;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::own("", "/v1.0/me", show), Route::own("", "/v1.0/me/ownedObjects", owned)]
}

/// Graph's own words.
const NO_PERSON: &str = "/me request is only valid with delegated authentication flow.";

/// `GET /v1.0/me`: the person who asks. A program has no `me`; Graph says so too.
async fn show(call: Arc<Call>) -> Result<Reply, Failure> {
    let principal = &call.caller.principal;
    match (principal.kind, call.snapshot.user(principal.id)) {
        (PrincipalKind::User, Some(user)) => Ok(Reply::ok(shape::user(principal, user))),
        _ => Err(bad(NO_PERSON)),
    }
}

/// `GET /v1.0/me/ownedObjects`: nothing. Nobody owns objects of the directory here: who may change them is decided by role
/// assignments alone (decision record 0005).
async fn owned(call: Arc<Call>) -> Result<Reply, Failure> {
    match call.caller.principal.kind {
        PrincipalKind::User => page_of_one(&call, None::<Value>, Value::clone),
        _ => Err(bad(NO_PERSON)),
    }
}
