//! `PUT {scope}/…/locks/{name}`

use keyless_directory::invariant::scopes;
use keyless_model::entity::{Lock, LockLevel, Mutation};
use serde::Deserialize;

use super::{find, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

#[derive(Deserialize)]
struct Body {
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    level: String,
    notes: Option<String>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let Body { properties } = call.json()?;
    let name = call.param("name");
    let invalid = |why: &str| Failure::invalid("InvalidLock", why.to_owned());
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
    let notes = properties.notes.map(|notes| notes.chars().take(512).collect());
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
