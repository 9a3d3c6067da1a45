//! `GET /v1.0/servicePrincipals[?$filter=…]`, with the forms that `az` sends.

use keyless_model::entity::Principal;

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::routes::directory::{list, starts_with, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let show = |row: &Principal| (row.id.to_string(), shape::service_principal(snapshot, row));
    match terms(call)?.as_slice() {
        // By name: one look-up.
        [Term::AnyEquals(names, value)] if names == "servicePrincipalNames" => {
            let by_uri = || {
                let application = snapshot.applications().find(|row| row.tenant == call.tenant() && row.identifier_uris.contains(value))?;
                snapshot.service_principal(application.client_id).map(AsRef::as_ref)
            };
            list(call, find::service_principal_of(call, snapshot, value).or_else(by_uri).into_iter().map(show))
        }
        [Term::Equals(name, value)] if name == "appId" => {
            list(call, find::service_principal_of(call, snapshot, value).into_iter().map(show))
        }
        terms => {
            let wanted = match terms {
                [] => Wanted::All,
                [Term::Equals(name, value)] if name == "displayName" => Wanted::Named(value),
                [Term::StartsWith(name, value)] if name == "displayName" => Wanted::Starting(value),
                _ => return Err(unsupported(call)),
            };
            let own = snapshot.principals().filter(|row| row.tenant == call.tenant() && find::is_service_principal(row));
            list(call, own.filter(|row| wanted.matches(&row.display_name)).map(|row| show(row)))
        }
    }
}

enum Wanted<'a> {
    All,
    Named(&'a str),
    Starting(&'a str),
}

impl Wanted<'_> {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(wanted) => name.eq_ignore_ascii_case(wanted),
            Self::Starting(wanted) => starts_with(name, wanted),
        }
    }
}
