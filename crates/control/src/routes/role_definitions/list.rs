//! `GET {scope}/…/roleDefinitions[?$filter=roleName eq 'X' | type eq 'CustomRole' | atScopeAndBelow()]`

use keyless_model::entity::{RoleDefinition, RoleKind};
use keyless_rbac::builtin;

use super::{is_assignable, is_visible, shape};
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Term, parse, unsupported};

/// What a filter asks for.
#[derive(Default)]
struct Wanted {
    name: Option<String>,
    kind: Option<RoleKind>,
    below: bool,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let wanted = wanted(call)?;
    let visible = |role: &&RoleDefinition| {
        let at = is_assignable(&call.snapshot, role, &call.scope);
        let named = wanted.name.as_ref().is_none_or(|name| {
            // `az` finds roles by name, and guides still use the former ones.
            role.role_name.eq_ignore_ascii_case(name)
                || builtin::former_name(role.id).is_some_and(|former| former.eq_ignore_ascii_case(name))
        });
        named && wanted.kind.is_none_or(|kind| role.role_kind == kind) && (at || (wanted.below && is_visible(call, role)))
    };
    let rows = call.snapshot.policy().roles().filter(visible);
    let rows = rows.map(|role| Row { key: role.id.to_string(), scope: call.scope.clone(), item: role });
    Page::asked(call)?.of_all(call, rows, "Microsoft.Authorization/roleDefinitions/read", |role| shape(role, &call.scope))
}

fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    let Some(filter) = call.query.field("$filter") else { return Ok(wanted) };
    for term in parse(filter)? {
        match term {
            Term::Equals(name, value) if name.eq_ignore_ascii_case("roleName") => wanted.name = Some(value),
            Term::Equals(name, value) if name.eq_ignore_ascii_case("type") => {
                wanted.kind = Some(match value.to_ascii_lowercase().as_str() {
                    "customrole" => RoleKind::CustomRole,
                    "builtinrole" => RoleKind::BuiltInRole,
                    _ => return Err(unsupported(filter)),
                });
            }
            Term::Call(name, None) if name.eq_ignore_ascii_case("atScopeAndBelow") => wanted.below = true,
            Term::Call(name, None) if name.eq_ignore_ascii_case("atScope") => {}
            _ => return Err(unsupported(filter)),
        }
    }
    Ok(wanted)
}
