//! `GET /v1.0/groups/{object id}/members`

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::routes::directory::{list, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    if !terms(call)?.is_empty() {
        return Err(unsupported(call));
    }
    let (_, group) = find::group(call, &call.snapshot, call.param("id"))?;
    let members = group.members.iter().filter_map(|id| call.snapshot.principal(*id));
    list(call, members.map(|row| (row.id.to_string(), shape::object(&call.snapshot, row))))
}
