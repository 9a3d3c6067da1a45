//! `Microsoft.Authorization/locks`

use http::Method;
use keyless_directory::invariant::scopes;
use keyless_model::Scope;
use keyless_model::entity::{Entity, Lock, LockLevel, Mutation};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::failure::{Code, Failure};
use crate::filter::{Term, parse, unsupported};
use crate::permitted::{Allowed, Plan};
use crate::route::{ANYWHERE, Route};

const READ: &str = "Microsoft.Authorization/locks/read";
const WRITE: &str = "Microsoft.Authorization/locks/write";
const DELETE: &str = "Microsoft.Authorization/locks/delete";
const NAMED: &str = "/providers/Microsoft.Authorization/locks/{name}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, ANYWHERE, "/providers/Microsoft.Authorization/locks", Action(READ), list),
        Route::new(Method::GET, ANYWHERE, NAMED, Action(READ), show),
        Route::new(Method::PUT, ANYWHERE, NAMED, Action(WRITE), put),
        Route::new(Method::DELETE, ANYWHERE, NAMED, Action(DELETE), delete),
    ]
}

fn find<'a>(snapshot: &'a Snapshot, scope: &'a Scope, name: &str) -> Option<&'a Lock> {
    snapshot.locks_below(scope).find(|lock| lock.scope == *scope && lock.name.eq_ignore_ascii_case(name)).map(AsRef::as_ref)
}

fn id_of(lock: &Lock) -> String {
    format!("{}/providers/Microsoft.Authorization/locks/{}", lock.scope.as_str().trim_end_matches('/'), lock.name)
}

fn shape(lock: &Lock) -> Value {
    json!({
        "id": id_of(lock),
        "name": lock.name,
        "type": "Microsoft.Authorization/locks",
        "properties": {
            "level": match lock.level {
                LockLevel::CanNotDelete => "CanNotDelete",
                LockLevel::ReadOnly => "ReadOnly",
            },
            "notes": lock.notes,
        },
    })
}

fn missing(name: &str) -> Failure {
    Failure::new(Code::LockNotFound, format!("The lock '{name}' could not be found."))
}

/// `GET {scope}/…/locks`: the locks at the scope, above and below it.
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let at_scope = match call.query.field("$filter") {
        None => false,
        Some(filter) => match parse(filter)?.as_slice() {
            [Term::Call(name, None)] if name.eq_ignore_ascii_case("atScope") => true,
            _ => return Err(unsupported(filter)),
        },
    };
    let below = call.snapshot.locks_below(&call.scope).filter(|lock| !at_scope && lock.scope != call.scope);
    let ours = |id| call.snapshot.subscription(id).is_some_and(|row| row.tenant == call.tenant());
    let found = call.snapshot.locks_on(&call.scope).chain(below).filter(|lock| lock.scope.subscription_id().is_none_or(ours));
    let rows = found.map(|lock| Row { key: id_of(lock).to_ascii_lowercase(), scope: lock.scope.clone(), item: lock });
    let page = Page::asked(&call)?;
    page.of_seen(&call, page.sorted(rows), |lock| shape(lock))
}

/// `GET {scope}/…/locks/{name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let name = call.param("name");
    Ok(Reply::ok(shape(find(&call.snapshot, &call.scope, name).ok_or_else(|| missing(name))?)))
}

#[derive(Deserialize)]
struct Body {
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    level: String,
    notes: Option<String>,
}

/// `PUT {scope}/…/locks/{name}`
async fn put(call: Allowed<Body>) -> Result<Reply, Failure> {
    let properties = &call.body.properties;
    let name = call.param("name");
    let invalid = |why: &str| Failure::new(Code::InvalidLock, why.to_owned());
    let plain = (1..=260).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.()".contains(&b));
    if !plain {
        return Err(invalid("A lock's name has 1 to 260 letters, digits and -_.()"));
    }
    // The root belongs to no one tenant, and a management group's lock would reach into subscriptions by another road than ids.
    if call.scope.subscription_id().is_none() {
        return Err(invalid("Locks are put on subscriptions, resource groups and resources."));
    }
    let level = match properties.level.to_ascii_lowercase().as_str() {
        "cannotdelete" => LockLevel::CanNotDelete,
        "readonly" => LockLevel::ReadOnly,
        _ => return Err(invalid("The lock level must be CanNotDelete or ReadOnly.").at("level")),
    };
    let notes: Option<String> = properties.notes.as_deref().map(|notes| notes.chars().take(512).collect());
    let (_, (new, lock)) = call
        .commit(|snapshot| {
            if !scopes::exists(snapshot, &call.scope) {
                return Err(Failure::no_such(&call.scope));
            }
            let current = find(snapshot, &call.scope, name);
            let spelled = current.map_or(name, |lock| &lock.name);
            let lock = Lock { scope: call.scope.clone(), name: spelled.to_owned(), level, notes: notes.clone() };
            let plan = Plan::new(vec![Mutation::put(lock.clone())], current.map(shape), Some(shape(&lock)));
            Ok((plan, (current.is_none(), lock)))
        })
        .await?;
    Ok(Reply::put(new, shape(&lock)))
}

/// `DELETE {scope}/…/locks/{name}`
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    let name = call.param("name");
    if find(&call.snapshot, &call.scope, name).is_none() {
        return Ok(Reply::no_content());
    }
    call.commit(|snapshot| {
        let lock = find(snapshot, &call.scope, name).ok_or_else(|| missing(name))?;
        Ok((Plan::new(vec![Mutation::Delete(Entity::from(lock.clone()).key())], Some(shape(lock)), None), ()))
    })
    .await?;
    Ok(Reply::done())
}
