//! `GET …/accounts`, of a subscription or a resource group. Soft-deleted ones are listed elsewhere.

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Row, page};
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let live = call.snapshot.accounts_below(&call.scope).filter(|account| account.deleted.is_none());
    let rows = live.map(|account| Row::of(&account.scope, account));
    page(call, rows, "Microsoft.CognitiveServices/accounts/read", |account| shape(call, &call.snapshot, account))
}
