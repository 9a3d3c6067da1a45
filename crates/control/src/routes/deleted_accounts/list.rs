//! `GET …/deletedAccounts`

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let page = Page::asked(call)?;
    let rows = call.snapshot.accounts_below(page.below(call)).filter(|account| account.deleted.is_some());
    let rows = rows.map(|account| Row::of(&account.scope, account));
    page.of(call, rows, "Microsoft.CognitiveServices/deletedAccounts/read", |account| shape(call, &call.snapshot, account))
}
