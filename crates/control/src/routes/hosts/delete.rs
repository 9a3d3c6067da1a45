//! `DELETE …/virtualMachines/{name}`: the host, and its system-assigned identity with its assignments. Attached user-assigned
//! identities live on.

use keyless_directory::plan::removal;

use super::{find, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    if call.snapshot.host(&call.scope).is_none() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let host = find(snapshot, &call.scope)?;
        Ok((Plan::new(removal::host(snapshot, host), Some(shape(snapshot, host)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
