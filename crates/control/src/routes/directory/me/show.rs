//! `GET /v1.0/me`: the person who asks. A program has no `me`; Graph says so too.

use keyless_model::entity::PrincipalKind;

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::shape;
use crate::routes::directory::bad;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let principal = &call.caller.principal;
    match (principal.kind, call.snapshot.user(principal.id)) {
        (PrincipalKind::User, Some(user)) => Ok(Reply::ok(shape::user(principal, user))),
        _ => Err(bad(super::NO_PERSON)),
    }
}
