//! `GET /v1.0/groups/{object id}/members`

use std::ops::Bound;

use crate::answer::Reply;
use crate::arm::page::Page;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::routes::directory::{last, list, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    if !terms(call)?.is_empty() {
        return Err(unsupported(call));
    }
    let (_, group) = find::group(call, &call.snapshot, call.param("id"))?;
    let page = Page::asked(call)?;
    let start = last(&page)?.map_or(Bound::Unbounded, Bound::Excluded);
    let members = group.members.range((start, Bound::Unbounded)).filter_map(|id| call.snapshot.principal(*id));
    list(call, &page, members.map(|row| (row.id.to_string(), row)), |row| shape::object(&call.snapshot, row))
}
