//! `GET {scope}/…/denyAssignments[?$filter=atScope() | principalId eq 'X']`

use keyless_model::entity::{DenyAssignment, DenyPrincipal};
use keyless_model::{ObjectId, Scope};

use super::shape;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Term, parse, unsupported};

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let (at_scope, principal) = wanted(call)?;
    let above: Vec<Scope> = call.snapshot.policy().scope_chain(&call.scope);
    let wished = |row: &&DenyAssignment| {
        let place = above.contains(&row.scope) || (!at_scope && call.scope.covers(&row.scope));
        let ours =
            row.scope.subscription_id().is_none_or(|id| call.snapshot.subscription(id).is_some_and(|row| row.tenant == call.tenant()));
        place && ours && principal.is_none_or(|id| row.principals.contains(&DenyPrincipal::Object(id)))
    };
    let rows = call.snapshot.policy().deny_assignments().filter(wished);
    let rows = rows.map(|row| Row { key: row.id.to_string(), scope: row.scope.clone(), item: row });
    Page::asked(call)?.of_all(call, rows, "Microsoft.Authorization/denyAssignments/read", |row| shape(&call.snapshot, row))
}

fn wanted(call: &Call) -> Result<(bool, Option<ObjectId>), Failure> {
    let (mut at_scope, mut principal) = (false, None);
    let Some(filter) = call.query.field("$filter") else { return Ok((false, None)) };
    for term in parse(filter)? {
        match term {
            Term::Call(name, None) if name.eq_ignore_ascii_case("atScope") => at_scope = true,
            Term::Equals(name, value) if name.eq_ignore_ascii_case("principalId") => {
                principal = Some(value.parse().map_err(|_| unsupported(filter))?);
            }
            _ => return Err(unsupported(filter)),
        }
    }
    Ok((at_scope, principal))
}
