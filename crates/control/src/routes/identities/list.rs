//! `GET …/userAssignedIdentities`, of a subscription or a resource group.

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let page = Page::asked(call)?;
    let rows = call.snapshot.user_assigned_below(page.below(call)).map(|identity| Row::of(&identity.scope, identity));
    page.of(call, rows, "Microsoft.ManagedIdentity/userAssignedIdentities/read", |identity| shape(identity))
}
