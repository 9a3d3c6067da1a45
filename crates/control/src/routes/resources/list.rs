//! Resources of every type in one list.

use keyless_model::Scope;
use keyless_model::entity::{Account, GenericResource, Host, ManagedIdentity};
use serde_json::Value;

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Listing, Page, Row};
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

/// A row of any of the tables that hold resources.
enum Resource<'a> {
    Account(&'a Account),
    Identity(&'a ManagedIdentity),
    Host(&'a Host),
    Other(&'a GenericResource),
}

/// `GET …/resources[?$filter=resourceGroup eq 'X' | resourceType eq 'T' | name eq 'N']`, of a subscription or a resource group.
pub(super) async fn list(call: Listing) -> Result<Reply, Failure> {
    let (wanted, page) = (wanted(&call)?, Page::asked(&call)?);
    let (snapshot, range) = (&call.snapshot, page.below(&call));
    // Each resource is readable on its own terms: a caller without the list's action sees those it may read one by one.
    let seen = |row: &Row<Resource<'_>>| wanted.matches(&row.scope) && (call.whole || readable(&call, &row.scope));
    // No page needs more of any table than it can show, and one to know whether there is more.
    let most = page.size.saturating_add(1);
    let accounts = snapshot.accounts_below(range).filter(|row| row.deleted.is_none());
    let accounts = accounts.map(|row| Row::of(&row.scope, Resource::Account(row))).filter(seen).take(most);
    let identities = snapshot.user_assigned_below(range).map(|row| Row::of(&row.scope, Resource::Identity(row))).filter(seen).take(most);
    let hosts = snapshot.hosts_below(range).map(|row| Row::of(&row.scope, Resource::Host(row))).filter(seen).take(most);
    let others = snapshot.resources_below(range).map(|row| Row::of(&row.scope, Resource::Other(row))).filter(seen).take(most);
    let mut rows: Vec<Row<Resource<'_>>> = accounts.chain(identities).chain(hosts).chain(others).collect();
    rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    page.of_seen(&call, rows.into_iter(), |row| envelope(show(&call, row)))
}

fn readable(call: &Call, scope: &Scope) -> bool {
    scope.resource_type().is_some_and(|kind| call.may(&call.snapshot, &format!("{kind}/read"), scope))
}

fn show(call: &Call, row: &Resource<'_>) -> Value {
    match row {
        Resource::Account(row) => accounts::shape(call, &call.snapshot, row),
        Resource::Identity(row) => identities::shape(row),
        Resource::Host(row) => hosts::shape(&call.snapshot, row),
        Resource::Other(row) => shape(row),
    }
}

/// Lists show the envelope of a resource, not its properties.
fn envelope(mut row: Value) -> Value {
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
