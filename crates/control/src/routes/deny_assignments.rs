//! `Microsoft.Authorization/denyAssignments`: read only, as on Azure, where only the system makes them; the owner does here.

use http::Method;
use keyless_model::entity::{DenyAssignment, DenyPrincipal};
use keyless_model::{ObjectId, Scope};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::filter::{Term, parse, unsupported};
use crate::permitted::Allowed;
use crate::route::{ANYWHERE, Route};

const READ: &str = "Microsoft.Authorization/denyAssignments/read";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, ANYWHERE, "/providers/Microsoft.Authorization/denyAssignments", Action(READ), list),
        Route::new(Method::GET, ANYWHERE, "/providers/Microsoft.Authorization/denyAssignments/{name}", Action(READ), show),
    ]
}

fn shape(snapshot: &Snapshot, row: &DenyAssignment) -> Value {
    let kind = |id: ObjectId| snapshot.principal(id).map_or("ServicePrincipal", |principal| principal.kind.arm_name());
    let principals: Vec<Value> = row
        .principals
        .iter()
        .map(|principal| match principal {
            DenyPrincipal::Everyone => json!({ "id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined" }),
            DenyPrincipal::Object(id) => json!({ "id": id, "type": kind(*id) }),
        })
        .collect();
    let excluded: Vec<Value> = row.exclude_principals.iter().map(|id| json!({ "id": id, "type": kind(*id) })).collect();
    let prefix = row.scope.as_str().trim_end_matches('/');
    json!({
        "id": format!("{prefix}/providers/Microsoft.Authorization/denyAssignments/{}", row.id),
        "name": row.id,
        "type": "Microsoft.Authorization/denyAssignments",
        "properties": {
            "denyAssignmentName": row.name,
            "description": row.description,
            "permissions": row.permissions,
            "scope": row.scope,
            "doNotApplyToChildScopes": row.do_not_apply_to_child_scopes,
            "principals": principals,
            "excludePrincipals": excluded,
            "isSystemProtected": true,
            "createdOn": row.created.rfc3339(),
        },
    })
}

/// `GET {scope}/…/denyAssignments[?$filter=atScope() | principalId eq 'X']`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let (at_scope, principal) = wanted(&call)?;
    let above: Vec<Scope> = call.snapshot.policy().scope_chain(&call.scope);
    let wished = |row: &&DenyAssignment| {
        let place = above.contains(&row.scope) || (!at_scope && call.scope.covers(&row.scope));
        let ours =
            row.scope.subscription_id().is_none_or(|id| call.snapshot.subscription(id).is_some_and(|row| row.tenant == call.tenant()));
        place && ours && principal.is_none_or(|id| row.principals.contains(&DenyPrincipal::Object(id)))
    };
    let rows = call.snapshot.policy().deny_assignments().filter(wished);
    let rows = rows.map(|row| Row { key: row.id.to_string(), scope: row.scope.clone(), item: row });
    let page = Page::asked(&call)?;
    page.of_seen(&call, page.sorted(rows), |row| shape(&call.snapshot, row))
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

/// `GET {scope}/…/denyAssignments/{guid}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let name = call.param("name");
    let row =
        call.snapshot.policy().deny_assignments().find(|row| row.scope == call.scope && row.id.to_string().eq_ignore_ascii_case(name));
    let missing = || Failure::new(Code::DenyAssignmentNotFound, format!("The deny assignment '{name}' is not found."));
    Ok(Reply::ok(shape(&call.snapshot, row.ok_or_else(missing)?)))
}
