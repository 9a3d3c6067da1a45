//! `GET /providers/Microsoft.Management/managementGroups`

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let own = call.snapshot.management_groups().filter(|group| group.tenant == call.tenant());
    let rows: Vec<_> = own.map(|group| super::scope_of(&group.name).map(|scope| Row::of(&scope, group))).collect::<Result<_, _>>()?;
    Page::asked(call)?.of_all(call, rows.into_iter(), "Microsoft.Management/managementGroups/read", |group| shape(group))
}
