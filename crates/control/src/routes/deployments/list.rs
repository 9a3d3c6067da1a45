//! `GET …/deployments`

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::arm::within;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    // Only a caller who may read the account learns that it is not there; the page refuses the others.
    let known = within::account(&call.snapshot, &call.scope);
    if call.permit.is_some() {
        known.as_ref().map_err(Clone::clone)?;
    }
    let rows = call.snapshot.deployments_of(&call.scope).filter(|_| known.is_ok()).map(|row| Row::of(&row.scope, row));
    Page::asked(call)?.of_all(call, rows, "Microsoft.CognitiveServices/accounts/deployments/read", |row| shape(row))
}
