//! `GET {scope}/…/locks`: the locks at the scope, above and below it.

use super::{id_of, shape};
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Term, parse, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
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
    Page::asked(call)?.of_all(call, rows, "Microsoft.Authorization/locks/read", |lock| shape(lock))
}
