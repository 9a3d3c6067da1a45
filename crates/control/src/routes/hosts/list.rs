//! `GET …/virtualMachines`, of a subscription or a resource group.

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let page = Page::asked(call)?;
    let rows = call.snapshot.hosts_below(page.below(call)).map(|host| Row::of(&host.scope, host));
    page.of(call, rows, "Microsoft.Compute/virtualMachines/read", |host| shape(&call.snapshot, host))
}
