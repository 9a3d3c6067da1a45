//! `Microsoft.Authorization/roleDefinitions`

use http::{Method, StatusCode};
use keyless_directory::invariant::scopes;
use keyless_model::entity::{Entity, Mutation, Permissions, RoleDefinition, RoleKind};
use keyless_model::{RoleId, Scope};
use keyless_rbac::{Attributes, builtin, validate_custom_role};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::arm::page::{Page, Row};
use crate::call::{Call, Content};
use crate::failure::{Code, Failure};
use crate::filter::{Term, parse, unsupported};
use crate::permitted::{Allowed, Plan};
use crate::route::{ANYWHERE, Route};

const READ: &str = "Microsoft.Authorization/roleDefinitions/read";
const WRITE: &str = "Microsoft.Authorization/roleDefinitions/write";
const DELETE: &str = "Microsoft.Authorization/roleDefinitions/delete";
const NAMED: &str = "/providers/Microsoft.Authorization/roleDefinitions/{name}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, ANYWHERE, "/providers/Microsoft.Authorization/roleDefinitions", Action(READ), list),
        Route::new(Method::GET, ANYWHERE, NAMED, Action(READ), show),
        Route::new(Method::PUT, ANYWHERE, NAMED, Action(WRITE), put),
        Route::new(Method::DELETE, ANYWHERE, NAMED, Action(DELETE), delete),
    ]
}

/// The role definition's name in the path.
fn id(call: &Call) -> Result<RoleId, Failure> {
    call.param("name").parse().map_err(|_| {
        let message = format!("The role definition ID '{}' is not valid. The role definition ID must be a GUID.", call.param("name"));
        Failure::new(Code::InvalidRoleDefinitionId, message)
    })
}

pub(super) fn missing(id: RoleId) -> Failure {
    Failure::new(
        Code::RoleDefinitionDoesNotExist,
        format!("The specified role definition with ID '{}' does not exist.", id.uuid().simple()),
    )
}

/// Whether the role can be assigned at `scope`: built-in roles everywhere, custom ones at their assignable scopes and below.
pub(super) fn is_assignable(snapshot: &Snapshot, role: &RoleDefinition, scope: &Scope) -> bool {
    if role.role_kind == RoleKind::BuiltInRole {
        return true;
    }
    let chain = snapshot.policy().scope_chain(scope);
    role.assignable_scopes.iter().any(|assignable| chain.contains(assignable))
}

/// Whether a question at `scope` may see the role: it is assignable there, or somewhere below - in the caller's own tenant.
fn is_visible(call: &Call, role: &RoleDefinition) -> bool {
    let own = |assignable: &Scope| match assignable.subscription_id() {
        Some(id) => call.snapshot.subscription(id).is_some_and(|row| row.tenant == call.tenant()),
        None => call.snapshot.management_group(assignable.name()).is_some_and(|row| row.tenant == call.tenant()),
    };
    is_assignable(&call.snapshot, role, &call.scope)
        || role.assignable_scopes.iter().any(|assignable| call.scope.covers(assignable) && own(assignable))
}

/// A block of a role's permissions.
pub(super) fn permission(block: &Permissions) -> Value {
    let mut shown = json!({
        "actions": block.actions,
        "notActions": block.not_actions,
        "dataActions": block.data_actions,
        "notDataActions": block.not_data_actions,
    });
    if let Some(condition) = &block.condition {
        shown["condition"] = condition.as_str().into();
        shown["conditionVersion"] = "2.0".into();
    }
    shown
}

/// The role as ARM shows it to a question at `scope`. The id is always qualified with the subscription where there is one: `az`
/// compares it as text with the ids in assignments.
fn shape(role: &RoleDefinition, scope: &Scope) -> Value {
    let permissions: Vec<Value> = role.permissions.iter().map(permission).collect();
    json!({
        "id": scope.role_definition_id(role.id),
        "name": role.id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.role_name,
            "type": match role.role_kind {
                RoleKind::BuiltInRole => "BuiltInRole",
                RoleKind::CustomRole => "CustomRole",
            },
            "description": role.description,
            "assignableScopes": role.assignable_scopes,
            "permissions": permissions,
            "createdOn": role.created.rfc3339(),
            "updatedOn": role.updated.rfc3339(),
            "createdBy": Value::Null,
            "updatedBy": role.updated_by,
        },
    })
}

/// What a filter asks for.
#[derive(Default)]
struct Wanted {
    name: Option<String>,
    kind: Option<RoleKind>,
    below: bool,
}

/// `GET {scope}/…/roleDefinitions[?$filter=roleName eq 'X' | type eq 'CustomRole' | atScopeAndBelow()]`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let wanted = wanted(&call)?;
    let visible = |role: &&RoleDefinition| {
        let at = is_assignable(&call.snapshot, role, &call.scope);
        let named = wanted.name.as_ref().is_none_or(|name| {
            // `az` finds roles by name, and guides still use the former ones.
            role.role_name.eq_ignore_ascii_case(name)
                || builtin::former_name(role.id).is_some_and(|former| former.eq_ignore_ascii_case(name))
        });
        named && wanted.kind.is_none_or(|kind| role.role_kind == kind) && (at || (wanted.below && is_visible(&call, role)))
    };
    let rows = call.snapshot.policy().roles().filter(visible);
    let rows = rows.map(|role| Row { key: role.id.to_string(), scope: call.scope.clone(), item: role });
    let page = Page::asked(&call)?;
    page.of_seen(&call, page.sorted(rows), |role| shape(role, &call.scope))
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

/// `GET {scope}/…/roleDefinitions/{guid}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let id = id(&call)?;
    let role = call.snapshot.policy().role(id).filter(|role| is_visible(&call, role));
    Ok(Reply::ok(shape(role.ok_or_else(|| missing(id))?, &call.scope)))
}

/// The most custom roles of a tenant.
const LIMIT: usize = 5000;

#[derive(Deserialize)]
struct Body {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    role_name: String,
    #[serde(default)]
    description: Option<String>,
    permissions: Vec<Permissions>,
    assignable_scopes: Vec<String>,
}

/// The role that a request describes.
struct Requested {
    id: RoleId,
    properties: Properties,
    scopes: Vec<Scope>,
}

impl Content for Requested {
    fn read(call: &Call) -> Result<Self, Failure> {
        let (id, Body { properties }) = (id(call)?, call.json()?);
        let scopes = properties.assignable_scopes.iter();
        let scopes =
            scopes.map(|text| text.parse().map_err(|_| invalid("an assignable scope is no resource id"))).collect::<Result<_, _>>()?;
        Ok(Self { id, properties, scopes })
    }
}

/// `PUT {scope}/…/roleDefinitions/{guid}`: custom roles. Answers 201 also for a change: `az` takes nothing else.
async fn put(call: Allowed<Requested>) -> Result<Reply, Failure> {
    let Requested { id, properties, scopes } = &call.body;
    let (_, role) = call
        .commit(|snapshot| {
            let current = snapshot.policy().role(*id);
            if current.is_some_and(|role| role.role_kind == RoleKind::BuiltInRole) {
                return Err(Failure::new(Code::RoleDefinitionUpdateNotPermitted, "Built-in roles cannot be changed."));
            }
            let role = RoleDefinition {
                id: *id,
                role_name: properties.role_name.clone(),
                description: properties.description.clone().unwrap_or_default(),
                role_kind: RoleKind::CustomRole,
                permissions: properties.permissions.clone(),
                assignable_scopes: scopes.clone(),
                created: current.map_or(call.ctx.now, |role| role.created),
                updated: call.ctx.now,
                updated_by: Some(call.me()),
            };
            validate_custom_role(&role).map_err(|error| invalid(&error.to_string()))?;
            check_scopes(&call, snapshot, &role, current)?;
            check_others(snapshot, &role, current)?;
            let plan =
                Plan::new(vec![Mutation::put(role.clone())], current.map(|row| shape(row, &call.scope)), Some(shape(&role, &call.scope)));
            Ok((plan.answered(StatusCode::CREATED), role))
        })
        .await?;
    Ok(Reply::created(shape(&role, &call.scope)))
}

/// Whoever writes a role changes what its holders may do at every one of its scopes, old and new: so the writer needs the right at
/// each of them, not only at the one in the path.
fn check_scopes(call: &Call, snapshot: &Snapshot, role: &RoleDefinition, current: Option<&RoleDefinition>) -> Result<(), Failure> {
    let old = current.into_iter().flat_map(|role| &role.assignable_scopes);
    for scope in role.assignable_scopes.iter().chain(old) {
        call.ask(snapshot, WRITE, scope, Attributes::NONE).map_err(|denial| call.unauthorized(*denial))?;
        let foreign = scope.subscription_id().is_some_and(|id| snapshot.subscription(id).is_none_or(|row| row.tenant != call.tenant()));
        if foreign || !scopes::exists(snapshot, scope) {
            return Err(invalid(&format!("the assignable scope '{scope}' does not exist")));
        }
    }
    if !role.assignable_scopes.iter().any(|scope| snapshot.policy().scope_chain(&call.scope).contains(scope) || call.scope.covers(scope)) {
        return Err(invalid("the assignable scopes do not include the scope of the request"));
    }
    Ok(())
}

fn check_others(snapshot: &Snapshot, role: &RoleDefinition, current: Option<&RoleDefinition>) -> Result<(), Failure> {
    let policy = snapshot.policy();
    if policy.roles().any(|other| other.id != role.id && other.role_name.eq_ignore_ascii_case(&role.role_name)) {
        let message = "A custom role with the same display name already exists in this directory. Use a different name.";
        return Err(Failure::new(Code::RoleDefinitionWithSameNameExists, message));
    }
    if current.is_none() && policy.roles().filter(|other| other.role_kind == RoleKind::CustomRole).count() >= LIMIT {
        let message = format!("No more than {LIMIT} custom roles can be created in a directory.");
        return Err(Failure::new(Code::RoleDefinitionLimitExceeded, message));
    }
    // A scope can leave the list only when nobody holds the role there any more.
    if current.is_some() && policy.assignments().any(|row| row.role == role.id && !is_assignable(snapshot, role, &row.scope)) {
        let message = "There are existing role assignments referencing role at a scope that would no longer be assignable.";
        return Err(Failure::new(Code::RoleDefinitionHasAssignments, message));
    }
    Ok(())
}

fn invalid(why: &str) -> Failure {
    Failure::new(Code::InvalidRoleDefinition, format!("The role definition is invalid: {why}."))
}

/// `DELETE {scope}/…/roleDefinitions/{guid}`
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    let id = id(&call)?;
    let known = call.snapshot.policy().role(id).filter(|role| is_visible(&call, role));
    if known.is_none() {
        return Ok(Reply::no_content());
    }
    let (_, shown) = call
        .commit(|snapshot| {
            let role = snapshot.policy().role(id).ok_or_else(|| missing(id))?;
            if role.role_kind == RoleKind::BuiltInRole {
                return Err(Failure::new(Code::RoleDefinitionDeleteNotPermitted, "Built-in roles cannot be deleted."));
            }
            for scope in &role.assignable_scopes {
                call.ask(snapshot, DELETE, scope, Attributes::NONE).map_err(|denial| call.unauthorized(*denial))?;
            }
            if snapshot.policy().assignments().any(|row| row.role == id) {
                let message =
                    "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments). Delete them first.";
                return Err(Failure::new(Code::RoleDefinitionHasAssignments, message));
            }
            let shown = shape(role, &call.scope);
            Ok((Plan::new(vec![Mutation::Delete(Entity::from(role.clone()).key())], Some(shown.clone()), None), shown))
        })
        .await?;
    Ok(Reply::ok(shown))
}
