//! `/v1.0/groups`

use std::ops::Bound;

use http::Method;
use keyless_model::ObjectId;
use keyless_model::entity::{Group, Mutation, Principal};
use serde::Deserialize;
use serde_json::json;

use super::{bad, last, page_of, starts_with, terms, unsupported};
use crate::access::Access::{DirectoryRead, DirectoryWrite};
use crate::answer::Reply;
use crate::arm::page::Page;
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::permitted::{Allowed, Plan};
use crate::route::Route;
use keyless_directory::Planned;
use keyless_directory::plan::group;
use keyless_directory::plan::removal;
use keyless_model::name;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "", "/v1.0/groups", DirectoryRead, list),
        Route::new(Method::GET, "", "/v1.0/groups/{id}", DirectoryRead, show),
        Route::new(Method::POST, "", "/v1.0/groups", DirectoryWrite, create),
        Route::new(Method::DELETE, "", "/v1.0/groups/{id}", DirectoryWrite, delete),
        Route::new(Method::GET, "", "/v1.0/groups/{id}/members", DirectoryRead, members),
        Route::new(Method::POST, "", "/v1.0/groups/{id}/members/$ref", DirectoryWrite, add_member),
        Route::new(Method::DELETE, "", "/v1.0/groups/{id}/members/{member}/$ref", DirectoryWrite, remove_member),
    ]
}

/// `GET /v1.0/groups[?$filter=displayName eq 'N' [and mailNickname eq 'M'] | startswith(displayName,'N')]`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let (snapshot, terms, page) = (&call.snapshot, terms(&call)?, Page::asked(&call)?);
    let known = |term: &Term| match term {
        Term::Equals(name, _) => name == "displayName" || name == "mailNickname",
        Term::StartsWith(name, _) => name == "displayName",
        _ => false,
    };
    if !terms.iter().all(known) {
        return Err(unsupported(&call));
    }
    let all = snapshot.groups_after(last(&page)?).filter_map(|group| Some((snapshot.principal(group.id)?.as_ref(), group.as_ref())));
    let own = all.filter(|(principal, group): &(&Principal, &Group)| {
        principal.tenant == call.tenant() && terms.iter().all(|term| matches(term, principal, group))
    });
    page_of(&call, &page, own.map(|row| (row.1.id.to_string(), row)), |(principal, group)| shape::group(principal, group))
}

fn matches(term: &Term, principal: &Principal, group: &Group) -> bool {
    match term {
        Term::Equals(name, value) if name == "displayName" => principal.display_name.eq_ignore_ascii_case(value),
        Term::Equals(_, value) => group.mail_nickname.eq_ignore_ascii_case(value),
        Term::StartsWith(_, value) => starts_with(&principal.display_name, value),
        _ => false,
    }
}

/// `GET /v1.0/groups/{object id}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let (principal, group) = find::group(&call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::group(principal, group)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewGroup {
    display_name: String,
    mail_nickname: String,
    description: Option<String>,
    #[serde(default)]
    mail_enabled: bool,
}

/// `POST /v1.0/groups`: security groups.
async fn create(call: Allowed<NewGroup>) -> Result<Reply, Failure> {
    let body = &call.body;
    name::display(&body.display_name, "a group", 256).map_err(|error| bad(error.to_string()))?;
    name::display(&body.mail_nickname, "a group", 64).map_err(|error| bad(error.to_string()))?;
    if body.mail_enabled {
        return Err(bad("Groups here are security groups; 'mailEnabled' must be false."));
    }
    let description = body.description.as_ref().map(|text| text.chars().take(1024).collect::<String>());
    let (_, shown) = call
        .commit(|_| {
            let Planned { entity: (principal, group), mutations } =
                group::group(call.tenant(), &body.display_name, &body.mail_nickname, description.clone(), call.means());
            let shown = shape::group(&principal, &group);
            Ok((Plan::new(mutations, None, Some(shown.clone())), shown))
        })
        .await?;
    Ok(Reply::created(shown))
}

/// `DELETE /v1.0/groups/{object id}`: its members lose what they held through it.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let (principal, group) = find::group(&call, snapshot, call.param("id"))?;
        Ok((Plan::new(removal::principal(snapshot, group.id), Some(shape::group(principal, group)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// `GET /v1.0/groups/{object id}/members`
async fn members(call: Allowed) -> Result<Reply, Failure> {
    if !terms(&call)?.is_empty() {
        return Err(unsupported(&call));
    }
    let (_, group) = find::group(&call, &call.snapshot, call.param("id"))?;
    let page = Page::asked(&call)?;
    let start = last(&page)?.map_or(Bound::Unbounded, Bound::Excluded);
    let members = group.members.range((start, Bound::Unbounded)).filter_map(|id| call.snapshot.principal(*id));
    page_of(&call, &page, members.map(|row| (row.id.to_string(), row)), |row| shape::object(&call.snapshot, row))
}

#[derive(Deserialize)]
struct MemberRef {
    /// `{graph}/v1.0/directoryObjects/{id}`; only the id at its end is read.
    #[serde(rename = "@odata.id")]
    reference: String,
}

/// `POST /v1.0/groups/{object id}/members/$ref`
async fn add_member(call: Allowed<MemberRef>) -> Result<Reply, Failure> {
    let body = &call.body;
    let member = body.reference.rsplit('/').next().unwrap_or_default();
    call.commit(|snapshot| {
        let (_, group) = find::group(&call, snapshot, call.param("id"))?;
        let member = find::principal(&call, snapshot, member)?;
        if member.id == group.id {
            return Err(bad("A group cannot be a member of itself."));
        }
        let mut next: Group = group.clone();
        if !next.members.insert(member.id) {
            return Err(bad("One or more added object references already exist for the following modified properties: 'members'."));
        }
        let (before, after) = (json!({ "members": group.members }), json!({ "id": group.id, "members": next.members }));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// `DELETE /v1.0/groups/{object id}/members/{object id}/$ref`
async fn remove_member(call: Allowed) -> Result<Reply, Failure> {
    let named = call.param("member");
    let member: ObjectId = named.parse().map_err(|_| find::missing(named))?;
    call.commit(|snapshot| {
        let (_, group) = find::group(&call, snapshot, call.param("id"))?;
        let mut next: Group = group.clone();
        if !next.members.remove(&member) {
            return Err(find::missing(named));
        }
        let (before, after) = (json!({ "members": group.members }), json!({ "id": group.id, "members": next.members }));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}
