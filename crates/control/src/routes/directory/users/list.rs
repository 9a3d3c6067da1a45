//! `GET /v1.0/users[?$filter=userPrincipalName eq 'X' | displayName eq 'N' | startswith(displayName,'N')]`

use keyless_model::entity::{Principal, User};
use serde_json::Value;

use crate::answer::Reply;
use crate::arm::page::Page;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::routes::directory::{last, list, list_one, starts_with, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let wanted = match terms(call)?.as_slice() {
        [] => None,
        // By name: one look-up.
        [Term::Equals(name, value)] if name == "userPrincipalName" => return list_one(call, find::user(call, snapshot, value).ok(), show),
        [term @ (Term::Equals(name, _) | Term::StartsWith(name, _))] if name == "displayName" => Some(term.clone()),
        [term @ Term::StartsWith(name, _)] if name == "userPrincipalName" => Some(term.clone()),
        _ => return Err(unsupported(call)),
    };
    let page = Page::asked(call)?;
    let all = snapshot.users_after(last(&page)?).filter_map(|user| Some((snapshot.principal(user.id)?.as_ref(), user.as_ref())));
    let own = all.filter(|(principal, user): &(&Principal, &User)| {
        principal.tenant == call.tenant() && wanted.as_ref().is_none_or(|term| matches(term, principal, user))
    });
    list(call, &page, own.map(|row| (row.1.id.to_string(), row)), show)
}

fn matches(term: &Term, principal: &Principal, user: &User) -> bool {
    match term {
        Term::Equals(_, value) => principal.display_name.eq_ignore_ascii_case(value),
        Term::StartsWith(name, value) if name == "displayName" => starts_with(&principal.display_name, value),
        Term::StartsWith(_, value) => starts_with(&user.user_principal_name, value),
        _ => false,
    }
}

fn show((principal, user): &(&Principal, &User)) -> Value {
    shape::user(principal, user)
}
