//! `DELETE …/deletedAccounts/{name}`: gone for good, with its keys and deployments.

use keyless_directory::plan::removal;

use super::{find, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    if find(call, &call.snapshot).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let account = find(call, snapshot)?;
        Ok((Plan::new(removal::purge(snapshot, account), Some(shape(call, snapshot, account)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
