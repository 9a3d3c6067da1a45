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
            let own = snapshot.principals().filter(|row| row.tenant == call.tenant() && find::is_service_principal(row));
            let matching = matching(call, terms)?;
            list(call, own.filter(|row| matching(row)).map(|row| show(row)))
        }
    }
}

fn matching(call: &Call, terms: &[Term]) -> Result<Box<dyn Fn(&Principal) -> bool + Send>, Failure> {
    Ok(match terms {
        [] => Box::new(|_| true),
        [Term::Equals(name, value)] if name == "displayName" => {
            let value = value.clone();
            Box::new(move |row| row.display_name.eq_ignore_ascii_case(&value))
        }
        [Term::StartsWith(name, value)] if name == "displayName" => {
            let value = value.clone();
            Box::new(move |row| starts_with(&row.display_name, &value))
        }
        _ => return Err(unsupported(call)),
    })
}
