//! `GET /v1.0/applications[?$filter=appId eq 'X' | displayName eq 'N' | startswith(displayName,'N') | identifierUris/any(…)]`

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::shape;
use crate::routes::directory::{list, starts_with, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let own = call.snapshot.applications().filter(|row| row.tenant == call.tenant()).map(AsRef::as_ref);
    let own: Vec<&keyless_model::entity::Application> = match terms(call)?.as_slice() {
        [] => own.collect(),
        [Term::Equals(name, value)] if name == "appId" => own.filter(|row| row.client_id.to_string().eq_ignore_ascii_case(value)).collect(),
        [Term::Equals(name, value)] if name == "displayName" => own.filter(|row| row.display_name.eq_ignore_ascii_case(value)).collect(),
        [Term::StartsWith(name, value)] if name == "displayName" => own.filter(|row| starts_with(&row.display_name, value)).collect(),
        [Term::AnyEquals(name, value)] if name == "identifierUris" => own.filter(|row| row.identifier_uris.contains(value)).collect(),
        _ => return Err(unsupported(call)),
    };
    list(call, own.into_iter().map(|row| (row.id.to_string(), shape::application(row))))
}
