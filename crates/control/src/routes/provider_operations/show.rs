//! `GET /providers/Microsoft.Authorization/providerOperations/{namespace}`: what `az provider operation show` prints.

use super::{by_namespace, shape};
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::routes::providers::unknown;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let asked = call.param("namespace");
    let all = by_namespace();
    let (namespace, operations) = all.iter().find(|(known, _)| known.eq_ignore_ascii_case(asked)).ok_or_else(|| unknown(asked))?;
    Ok(Reply::ok(shape(namespace, operations)))
}
