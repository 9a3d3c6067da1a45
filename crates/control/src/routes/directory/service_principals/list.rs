//! `GET /v1.0/servicePrincipals[?$filter=…]`, with the forms that `az` sends.

use keyless_model::entity::Principal;

use crate::answer::Reply;
use crate::arm::page::Page;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::routes::directory::{last, list, list_one, starts_with, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let show = |row: &&Principal| shape::service_principal(snapshot, row);
    let wanted = match terms(call)?.as_slice() {
        // By name: one look-up.
        [Term::AnyEquals(names, value)] if names == "servicePrincipalNames" => {
            let by_uri = || {
                let application = snapshot.applications().find(|row| row.tenant == call.tenant() && row.identifier_uris.contains(value))?;
                snapshot.service_principal(application.client_id).map(AsRef::as_ref)
            };
            return list_one(call, find::service_principal_of(call, snapshot, value).or_else(by_uri), show);
        }
        [Term::Equals(name, value)] if name == "appId" => return list_one(call, find::service_principal_of(call, snapshot, value), show),
        [] => Wanted::All,
        [Term::Equals(name, value)] if name == "displayName" => Wanted::Named(value.clone()),
        [Term::StartsWith(name, value)] if name == "displayName" => Wanted::Starting(value.clone()),
        _ => return Err(unsupported(call)),
    };
    let page = Page::asked(call)?;
    let own = snapshot.principals_after(last(&page)?).map(AsRef::as_ref);
    let own = own.filter(|row: &&Principal| row.tenant == call.tenant() && find::is_service_principal(row));
    list(call, &page, own.filter(|row| wanted.matches(&row.display_name)).map(|row| (row.id.to_string(), row)), show)
}

enum Wanted {
    All,
    Named(String),
    Starting(String),
}

impl Wanted {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(wanted) => name.eq_ignore_ascii_case(wanted),
            Self::Starting(wanted) => starts_with(name, wanted),
        }
    }
}
