//! The list of role assignments, and what its filter asks for.

use std::collections::BTreeSet;

use keyless_model::entity::RoleAssignment;
use keyless_model::{ObjectId, Scope};
use keyless_rbac::Place;

use super::{is_ours, shape};
use crate::answer::Reply;
use crate::arm::page::{Page, Row, foreign_token};
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::filter::{Term, parse, unsupported};
use crate::permitted::Allowed;

/// What a filter asks for.
#[derive(Default)]
struct Wanted {
    at_scope: bool,
    principals: Option<BTreeSet<ObjectId>>,
}

/// `GET {scope}/…/roleAssignments[?$filter=atScope() | principalId eq 'X' | assignedTo('X')]`
///
/// Without `atScope()` the list holds what was granted at the scope, above it and below it; with it, not what is below.
pub(super) async fn list(call: Allowed) -> Result<Reply, Failure> {
    let (wanted, page) = (wanted(&call)?, Page::asked(&call)?);
    let policy = call.snapshot.policy();
    let show = |row: &RoleAssignment| shape(row, &call.scope);
    let Some(principals) = &wanted.principals else {
        let after = page.after.as_deref().map(place).transpose()?;
        let rows = policy.assignments_around(&call.scope, !wanted.at_scope, after.as_ref());
        let ours = rows.filter(|(_, row)| is_ours(&call, &call.snapshot, row));
        return page.of_seen(&call, ours.map(|(part, row)| Row { key: key(&part, &row), scope: row.scope.clone(), item: row }), show);
    };
    // A principal's assignments are few beside all that are around a scope.
    let above = policy.scope_chain(&call.scope);
    let around =
        |row: &RoleAssignment| above.contains(&row.scope) || (!wanted.at_scope && policy.scope_chain(&row.scope).contains(&call.scope));
    let found =
        principals.iter().flat_map(|id| policy.assignments_of(*id)).filter(|row| around(row) && is_ours(&call, &call.snapshot, row));
    let rows = found.map(|row| Row { key: key(&row.scope, &row), scope: row.scope.clone(), item: row });
    page.of_seen(&call, page.sorted(rows), show)
}

/// An assignment's place in the list, as text; see [`place`].
fn key(part: &Scope, row: &RoleAssignment) -> String {
    format!("{part}\n{}\n{}", row.scope, row.id)
}

fn place(key: &str) -> Result<Place, Failure> {
    let mut lines = key.split('\n');
    let mut scope = || lines.next().and_then(|line| line.parse::<Scope>().ok());
    let (part, scope) = (scope(), scope());
    let id = lines.next().and_then(|line| line.parse().ok());
    let place = part.zip(scope).zip(id).map(|((part, scope), id)| Place { part, scope, id });
    place.filter(|_| lines.next().is_none()).ok_or_else(foreign_token)
}

fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    let Some(filter) = call.query.field("$filter") else { return Ok(wanted) };
    let id = |text: &str| text.parse::<ObjectId>().map_err(|error| Failure::new(Code::InvalidPrincipalId, error.to_string()).at("$filter"));
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
