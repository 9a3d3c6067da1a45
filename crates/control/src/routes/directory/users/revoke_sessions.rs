//! `POST /v1.0/users/{object id or sign-in name}/revokeSignInSessions`: refuses every token and sign-in until now, on every plane.

use keyless_directory::plan::sessions;
use serde_json::json;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::find;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let (principal, _) = find::user(call, snapshot, call.param("id"))?;
        let shown = |from| Some(json!({ "id": principal.id, "signInSessionsValidFromDateTime": from }));
        let mutations = sessions::revoked(snapshot, principal.id, call.ctx.now).ok_or_else(Failure::internal)?;
        let (before, after) = (shown(principal.tokens_valid_from), shown(Some(call.ctx.now)));
        Ok((Plan::new(mutations, before, after), ()))
    })
    .await?;
    let context = format!("{}/v1.0/$metadata#Edm.Boolean", call.control.platform.endpoints.control);
    Ok(Reply::ok(json!({ "@odata.context": context, "value": true })))
}
