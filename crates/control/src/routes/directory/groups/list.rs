//! `GET /v1.0/groups[?$filter=displayName eq 'N' [and mailNickname eq 'M'] | startswith(displayName,'N')]`

use keyless_model::entity::{Group, Principal};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::shape;
use crate::routes::directory::{list, starts_with, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let all = snapshot.groups().filter_map(|group| Some((snapshot.principal(group.id)?.as_ref(), group.as_ref())));
    let mut own: Vec<(&Principal, &Group)> =
        all.filter(|(principal, _): &(&Principal, &Group)| principal.tenant == call.tenant()).collect();
    for term in terms(call)? {
        match term {
            Term::Equals(name, value) if name == "displayName" => {
                own.retain(|(principal, _)| principal.display_name.eq_ignore_ascii_case(&value))
            }
            Term::Equals(name, value) if name == "mailNickname" => {
                own.retain(|(_, group)| group.mail_nickname.eq_ignore_ascii_case(&value))
            }
            Term::StartsWith(name, value) if name == "displayName" => {
                own.retain(|(principal, _)| starts_with(&principal.display_name, &value))
            }
            _ => return Err(unsupported(call)),
        }
    }
    list(call, own.into_iter().map(|(principal, group)| (group.id.to_string(), shape::group(principal, group))))
}
