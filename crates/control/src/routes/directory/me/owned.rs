//! `GET /v1.0/me/ownedObjects`: nothing. Nobody owns objects of the directory here: who may change them is decided by role
//! assignments alone (decision record 0005).

use keyless_model::entity::PrincipalKind;
use serde_json::Value;

use super::NO_PERSON;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::directory::{bad, list_one};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    match call.caller.principal.kind {
        PrincipalKind::User => list_one(call, None::<Value>, Value::clone),
        _ => Err(bad(NO_PERSON)),
    }
}
