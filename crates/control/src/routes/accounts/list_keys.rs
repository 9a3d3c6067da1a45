//! `POST …/accounts/{name}/listKeys`. Recorded before it is answered: who has seen a key is a fact worth having.

use keyless_directory::plan::account;

use super::{key_document, require_local_auth};
use crate::answer::Reply;
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let known = within::account(&call.snapshot, &call.scope)?;
    require_local_auth(known)?;
    let keys = account::keys(known, &call.control.platform.sealer)?;
    call.record_done()?;
    Ok(Reply::ok(key_document(&keys)))
}
