//! `GET /v1.0/users[?$filter=userPrincipalName eq 'X' | displayName eq 'N' | startswith(displayName,'N')]`

use keyless_model::entity::{Principal, User};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::routes::directory::{list, starts_with, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let all = snapshot.users().filter_map(|user| Some((snapshot.principal(user.id)?.as_ref(), user.as_ref())));
    let own = all.filter(|(principal, _): &(&Principal, &User)| principal.tenant == call.tenant());
    let found: Vec<(&Principal, &User)> = match terms(call)?.as_slice() {
        [] => own.collect(),
        [Term::Equals(name, value)] if name == "userPrincipalName" => find::user(call, snapshot, value).into_iter().collect(),
        [Term::Equals(name, value)] if name == "displayName" => {
            own.filter(|(principal, _)| principal.display_name.eq_ignore_ascii_case(value)).collect()
        }
        [Term::StartsWith(name, value)] if name == "displayName" => {
            own.filter(|(principal, _)| starts_with(&principal.display_name, value)).collect()
        }
        [Term::StartsWith(name, value)] if name == "userPrincipalName" => {
            own.filter(|(_, user)| starts_with(&user.user_principal_name, value)).collect()
        }
        _ => return Err(unsupported(call)),
    };
    list(call, found.into_iter().map(|(principal, user)| (user.id.to_string(), shape::user(principal, user))))
}
