//! `GET …/virtualMachines`, of a subscription or a resource group.

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Row, page};
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let rows = call.snapshot.hosts_below(&call.scope).map(|host| Row::of(&host.scope, host));
    page(call, rows, "Microsoft.Compute/virtualMachines/read", |host| shape(&call.snapshot, host))
}
