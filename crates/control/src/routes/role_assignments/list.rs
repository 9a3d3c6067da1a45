//! `GET {scope}/…/roleAssignments[?$filter=atScope() | principalId eq 'X' | assignedTo('X')]`
//!
//! Without `atScope()` the list holds what was granted at the scope, above it and below it; with it, not what is below.

use std::collections::BTreeSet;

use keyless_model::ObjectId;
use keyless_model::entity::RoleAssignment;

use super::{is_ours, shape};
use crate::answer::Reply;
use crate::arm::page::{Row, page};
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Term, parse, unsupported};

/// What a filter asks for.
#[derive(Default)]
struct Wanted {
    at_scope: bool,
    principals: Option<BTreeSet<ObjectId>>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let wanted = wanted(call)?;
    let policy = call.snapshot.policy();
    let wished = |row: &RoleAssignment| {
        wanted.principals.as_ref().is_none_or(|ids| ids.contains(&row.principal)) && is_ours(call, &call.snapshot, row)
    };
    let mut found: Vec<RoleAssignment> = policy.assignments_at_or_above(&call.scope).filter(wished).collect();
    if !wanted.at_scope {
        found.extend(policy.assignments_below(&call.scope).filter(wished));
    }
    let rows = found.into_iter().map(|row| Row { key: row.id.to_string(), scope: row.scope.clone(), item: row });
    page(call, rows, "Microsoft.Authorization/roleAssignments/read", |row| shape(row, &call.scope))
}

fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    let Some(filter) = call.query.field("$filter") else { return Ok(wanted) };
    let id = |text: &str| text.parse::<ObjectId>().map_err(|error| Failure::invalid("InvalidPrincipalId", error.to_string()).at("$filter"));
    for term in parse(filter)? {
        match term {
            Term::Call(name, None) if name.eq_ignore_ascii_case("atScope") => wanted.at_scope = true,
            Term::Equals(name, value) if name.eq_ignore_ascii_case("principalId") && wanted.principals.is_none() => {
                wanted.principals = Some(BTreeSet::from([id(&value)?]));
            }
            Term::Call(name, Some(value)) if name.eq_ignore_ascii_case("assignedTo") && wanted.principals.is_none() => {
                let id = id(&value)?;
                wanted.principals = Some(call.snapshot.policy().groups_of(id).into_iter().chain([id]).collect());
            }
            _ => return Err(unsupported(filter)),
        }
    }
    Ok(wanted)
}
