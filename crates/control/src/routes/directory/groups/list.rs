//! `GET /v1.0/groups[?$filter=displayName eq 'N' [and mailNickname eq 'M'] | startswith(displayName,'N')]`

use keyless_model::entity::{Group, Principal};

use crate::answer::Reply;
use crate::arm::page::Page;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::shape;
use crate::routes::directory::{last, list, starts_with, terms, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let (snapshot, terms, page) = (&call.snapshot, terms(call)?, Page::asked(call)?);
    let known = |term: &Term| match term {
        Term::Equals(name, _) => name == "displayName" || name == "mailNickname",
        Term::StartsWith(name, _) => name == "displayName",
        _ => false,
    };
    if !terms.iter().all(known) {
        return Err(unsupported(call));
    }
    let all = snapshot.groups_after(last(&page)?).filter_map(|group| Some((snapshot.principal(group.id)?.as_ref(), group.as_ref())));
    let own = all.filter(|(principal, group): &(&Principal, &Group)| {
        principal.tenant == call.tenant() && terms.iter().all(|term| matches(term, principal, group))
    });
    list(call, &page, own.map(|row| (row.1.id.to_string(), row)), |(principal, group)| shape::group(principal, group))
}

fn matches(term: &Term, principal: &Principal, group: &Group) -> bool {
    match term {
        Term::Equals(name, value) if name == "displayName" => principal.display_name.eq_ignore_ascii_case(value),
        Term::Equals(_, value) => group.mail_nickname.eq_ignore_ascii_case(value),
        Term::StartsWith(_, value) => starts_with(&principal.display_name, value),
        _ => false,
    }
}
