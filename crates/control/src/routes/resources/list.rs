//! `GET …/resources[?$filter=resourceGroup eq 'X' | resourceType eq 'T' | name eq 'N']`, of a subscription or a resource group.

use keyless_model::Scope;
use serde_json::Value;

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Row, page_of_seen};
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Term, parse, unsupported};
use crate::routes::{accounts, hosts, identities};

/// What a filter asks for.
#[derive(Default)]
struct Wanted {
    group: Option<String>,
    kind: Option<String>,
    name: Option<String>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let wanted = wanted(call)?;
    let (snapshot, scope) = (&call.snapshot, &call.scope);
    let accounts = snapshot.accounts_below(scope).filter(|row| row.deleted.is_none());
    let accounts = accounts.map(|row| (row.scope.clone(), accounts::shape(call, snapshot, row)));
    let identities = snapshot.user_assigned_below(scope).map(|row| (row.scope.clone(), identities::shape(row)));
    let hosts = snapshot.hosts_below(scope).map(|row| (row.scope.clone(), hosts::shape(snapshot, row)));
    let others = snapshot.resources_below(scope).map(|row| (row.scope.clone(), shape(row)));
    let all = accounts.chain(identities).chain(hosts).chain(others).filter(|(scope, _)| wanted.matches(scope));
    // Each resource is readable on its own terms: a caller without the list's action sees those it may read one by one.
    let rows = all.filter(|(scope, _)| call.permit.is_some() || readable(call, scope));
    let rows: Vec<Row<Value>> = rows.map(|(scope, shown)| Row::of(&scope, shown)).collect();
    page_of_seen(call, rows, ANY, envelope)
}

const ANY: &str = "Microsoft.Resources/subscriptions/resources/read";

fn readable(call: &Call, scope: &Scope) -> bool {
    scope.resource_type().is_some_and(|kind| call.may(&call.snapshot, &format!("{kind}/read"), scope))
}

/// Lists show the envelope of a resource, not its properties.
fn envelope(row: &Value) -> Value {
    let mut row = row.clone();
    if let Some(row) = row.as_object_mut() {
        let state = row.get("properties").and_then(|properties| properties.get("provisioningState")).cloned();
        row.remove("properties");
        if let Some(state) = state {
            row.insert("provisioningState".to_owned(), state);
        }
    }
    row
}

impl Wanted {
    fn matches(&self, scope: &Scope) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)))
        };
        same(&self.group, scope.resource_group())
            && same(&self.kind, scope.resource_type().as_deref())
            && same(&self.name, Some(scope.name()))
    }
}

fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    let Some(filter) = call.query.field("$filter") else { return Ok(wanted) };
    for term in parse(filter)? {
        match term {
            Term::Equals(name, value) if name.eq_ignore_ascii_case("resourceGroup") => wanted.group = Some(value),
            Term::Equals(name, value) if name.eq_ignore_ascii_case("resourceType") => wanted.kind = Some(value),
            Term::Equals(name, value) if name.eq_ignore_ascii_case("name") => wanted.name = Some(value),
            _ => return Err(unsupported(filter)),
        }
    }
    Ok(wanted)
}
