//! `DELETE …/accounts/{name}`: soft. The account answers nothing from now on, and every grant at it is gone.

use keyless_directory::plan::removal;

use super::shape;
use crate::answer::Reply;
use crate::arm::{precondition, within};
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    if within::account(&call.snapshot, &call.scope).is_err() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let account = within::account(snapshot, &call.scope)?;
        precondition::check(&call.headers, Some(account.version))?;
        Ok((Plan::new(removal::account(snapshot, account, call.ctx.now), Some(shape(call, snapshot, account)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
