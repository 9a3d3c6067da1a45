//! `GET …/deletedAccounts`

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Row, page};
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let rows = call.snapshot.accounts_below(&call.scope).filter(|account| account.deleted.is_some());
    let rows = rows.map(|account| Row::of(&account.scope, account));
    page(call, rows, "Microsoft.CognitiveServices/deletedAccounts/read", |account| shape(call, &call.snapshot, account))
}
