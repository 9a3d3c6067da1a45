//! `DELETE /subscriptions/{id}/resourceGroups/{name}`: the group and everything in it, in one change.

use keyless_directory::plan::removal;

use super::{find, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let group = find(snapshot, &call.scope)?;
        Ok((Plan::new(removal::resource_group(snapshot, group, call.ctx.now), Some(shape(group)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
