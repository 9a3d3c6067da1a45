//! `DELETE /v1.0/users/{object id or sign-in name}`: with the sign-ins. Tokens stop working at once.

use keyless_directory::plan::removal;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let (principal, user) = find::user(call, snapshot, call.param("id"))?;
        Ok((Plan::new(removal::principal(snapshot, principal.id), Some(shape::user(principal, user)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
