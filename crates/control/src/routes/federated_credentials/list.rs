//! `GET …/federatedIdentityCredentials`

use super::{owner, scope_of, shape};
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let owner = owner(call, &call.snapshot)?;
    let rows = call.snapshot.federated_of(&owner).map(|row| Row { key: scope_of(row), scope: call.scope.clone(), item: row });
    Page::asked(call)?
        .of_all(call, rows, "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read", |row| shape(row))
}
