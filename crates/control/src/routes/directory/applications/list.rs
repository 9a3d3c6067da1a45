//! `GET /v1.0/applications[?$filter=appId eq 'X' | displayName eq 'N' | startswith(displayName,'N') | identifierUris/any(…)]`

use keyless_model::entity::Application;

use crate::answer::Reply;
use crate::arm::page::Page;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::shape;
use crate::routes::directory::{last, list, list_one, starts_with, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let wanted = match terms(call)?.as_slice() {
        [] => None,
        // By name: one look-up.
        [Term::Equals(name, value)] if name == "appId" => {
            let found = value.parse().ok().and_then(|id| snapshot.application_of(id)).filter(|row| row.tenant == call.tenant());
            return list_one(call, found, |row| shape::application(row));
        }
        [term @ (Term::Equals(name, _) | Term::StartsWith(name, _))] if name == "displayName" => Some(term.clone()),
        [term @ Term::AnyEquals(name, _)] if name == "identifierUris" => Some(term.clone()),
        _ => return Err(unsupported(call)),
    };
    let page = Page::asked(call)?;
    let own = snapshot.applications_after(last(&page)?).map(AsRef::as_ref);
    let own = own.filter(|row: &&Application| row.tenant == call.tenant() && wanted.as_ref().is_none_or(|term| matches(term, row)));
    list(call, &page, own.map(|row| (row.id.to_string(), row)), |row| shape::application(row))
}

fn matches(term: &Term, row: &Application) -> bool {
    match term {
        Term::Equals(_, value) => row.display_name.eq_ignore_ascii_case(value),
        Term::StartsWith(_, value) => starts_with(&row.display_name, value),
        Term::AnyEquals(_, value) => row.identifier_uris.contains(value),
        _ => false,
    }
}
