//! `GET /v1.0/applications/{object id}/federatedIdentityCredentials`

use keyless_model::entity::FederatedOwner;

use crate::answer::Reply;
use crate::arm::page::Page;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::routes::directory::{list, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let owner = FederatedOwner::Application(find::application(call, &call.snapshot, call.param("id"))?.id);
    let name = match terms(call)?.as_slice() {
        [] => None,
        [Term::Equals(name, value)] if name == "name" => Some(value.clone()),
        _ => return Err(unsupported(call)),
    };
    let page = Page::asked(call)?;
    let rows = call.snapshot.federated_of(&owner).filter(|row| name.as_ref().is_none_or(|name| row.name.eq_ignore_ascii_case(name)));
    // An application has twenty at most.
    let mut rows: Vec<_> = rows.map(|row| (row.id.to_string(), row)).collect();
    rows.retain(|(id, _)| page.after.as_ref().is_none_or(|after| id > after));
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    list(call, &page, rows.into_iter(), |row| shape::federated(row))
}
