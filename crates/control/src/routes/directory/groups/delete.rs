//! `DELETE /v1.0/groups/{object id}`: its members lose what they held through it.

use keyless_directory::plan::removal;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let (principal, group) = find::group(call, snapshot, call.param("id"))?;
        Ok((Plan::new(removal::principal(snapshot, group.id), Some(shape::group(principal, group)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
