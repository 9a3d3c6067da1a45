//! `DELETE …/userAssignedIdentities/{name}`. Its tokens stop working at once. Its role assignments stay as orphans, as on Azure;
//! an identity of the same name has new ids and inherits nothing (case 125).

use keyless_directory::plan::removal;

use super::shape;
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    if call.snapshot.user_assigned(&call.scope).is_none() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let identity = super::find(snapshot, &call.scope)?;
        Ok((Plan::new(removal::user_assigned(snapshot, identity), Some(shape(identity)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
