//! `PATCH …/accounts/{name}`

use keyless_model::entity::{Account, Mutation};

use super::body::Body;
use super::shape;
use crate::answer::Reply;
use crate::arm::precondition::{self, etag};
use crate::arm::{identity, within};
use crate::call::{Call, Plan};
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let (snapshot, account) = call
        .commit(|snapshot| {
            let current = within::account(snapshot, &call.scope)?;
            precondition::check(&call.headers, Some(current.version))?;
            let mut next = Account { version: current.version + 1, ..current.clone() };
            body.apply(snapshot, &mut next)?;
            let mut mutations = Vec::new();
            if let Some(block) = &body.identity {
                let wish = block.wish(&next.identity, true)?;
                (next.identity, mutations) = identity::change(call, snapshot, (&next.scope, &next.location), &next.identity, &wish)?;
            }
            mutations.push(Mutation::put(next.clone()));
            let after = snapshot.with(snapshot.revision(), &mutations);
            Ok((Plan::new(mutations, Some(shape(call, snapshot, current)), Some(shape(call, &after, &next))), next))
        })
        .await?;
    Ok(Reply::ok(shape(call, &snapshot, &account)).etag(&etag(account.version)))
}
