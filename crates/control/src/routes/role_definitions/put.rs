//! `PUT {scope}/…/roleDefinitions/{guid}`: custom roles. Answers 201 also for a change: `az` takes nothing else.

use http::StatusCode;
use keyless_directory::invariant::scopes;
use keyless_model::Scope;
use keyless_model::entity::{Mutation, Permissions, RoleDefinition, RoleKind};
use keyless_rbac::{Attributes, validate_custom_role};
use keyless_store::Snapshot;
use serde::Deserialize;

use super::{id, is_assignable, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;

const WRITE: &str = "Microsoft.Authorization/roleDefinitions/write";
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

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let id = id(call)?;
    let Body { properties } = call.json()?;
    let scopes: Vec<Scope> = properties
        .assignable_scopes
        .iter()
        .map(|text| text.parse().map_err(|_| invalid("an assignable scope is no resource id")))
        .collect::<Result<_, _>>()?;
    let (_, role) = call
        .commit(|snapshot| {
            let current = snapshot.policy().role(id);
            if current.is_some_and(|role| role.role_kind == RoleKind::BuiltInRole) {
                return Err(Failure::forbidden("RoleDefinitionUpdateNotPermitted", "Built-in roles cannot be changed."));
            }
            let role = RoleDefinition {
                id,
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
            check_scopes(call, snapshot, &role, current)?;
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
        return Err(Failure::conflict("RoleDefinitionWithSameNameExists", message));
    }
    if current.is_none() && policy.roles().filter(|other| other.role_kind == RoleKind::CustomRole).count() >= LIMIT {
        let message = format!("No more than {LIMIT} custom roles can be created in a directory.");
        return Err(Failure::invalid("RoleDefinitionLimitExceeded", message));
    }
    // A scope can leave the list only when nobody holds the role there any more.
    if current.is_some() && policy.assignments().any(|row| row.role == role.id && !is_assignable(snapshot, role, &row.scope)) {
        let message = "There are existing role assignments referencing role at a scope that would no longer be assignable.";
        return Err(Failure::invalid("RoleDefinitionHasAssignments", message));
    }
    Ok(())
}

fn invalid(why: &str) -> Failure {
    Failure::invalid("InvalidRoleDefinition", format!("The role definition is invalid: {why}."))
}
