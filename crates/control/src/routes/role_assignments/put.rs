//! `PUT {scope}/…/roleAssignments/{guid}`: who may do what from the next snapshot on.

use keyless_directory::invariant::scopes;
use keyless_model::entity::{Mutation, Principal, RoleAssignment, RoleDefinition};
use keyless_model::{ObjectId, RoleId, Scope, ScopeKind};
use keyless_rbac::{AttributeSource, Attributes, condition};
use keyless_store::Snapshot;
use serde::Deserialize;

use super::{PER_SUBSCRIPTION, id, shape};
use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::routes::role_definitions;

/// The most assignments of a management group itself.
const PER_MANAGEMENT_GROUP: usize = 500;
const MAX_CONDITION: usize = 8 * 1024;
const MAX_DESCRIPTION: usize = 2 * 1024;

#[derive(Deserialize)]
struct Body {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    role_definition_id: String,
    principal_id: String,
    principal_type: Option<String>,
    condition: Option<String>,
    condition_version: Option<String>,
    description: Option<String>,
}

/// What conditions of the caller's own assignments look at: the assignment that is about to be made.
pub(in crate::routes) fn attributes(call: &Call, snapshot: &Snapshot) -> Result<Attributes, Failure> {
    Ok(Attributes::role_assignment(AttributeSource::Request, &wished(call, snapshot)?))
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let (_, (new, row)) = call
        .commit(|snapshot| {
            let mut next = wished(call, snapshot)?;
            let role = snapshot.policy().role(next.role).ok_or_else(|| role_definitions::missing(next.role))?;
            let principal = principal(call, snapshot, next.principal)?;
            check(call, snapshot, &next, role, principal)?;
            next.principal_type = principal.kind.arm_name().to_owned();
            let current = snapshot.policy().assignment(next.id);
            match &current {
                Some(current) => {
                    // Case 120: a name stands for one grant; only its condition and description may change.
                    if (&current.scope, current.role, current.principal) != (&next.scope, next.role, next.principal) {
                        let message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
                        return Err(Failure::invalid("RoleAssignmentUpdateNotPermitted", message));
                    }
                    (next.created, next.created_by) = (current.created, current.created_by);
                    next.scope = current.scope.clone();
                }
                None => check_new(snapshot, &next)?,
            }
            let before = current.as_ref().map(|row| shape(row, &call.scope));
            let plan = Plan::new(vec![Mutation::put(next.clone())], before, Some(shape(&next, &call.scope)));
            Ok((plan, (current.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&row, &call.scope)))
}

/// The assignment that the request describes; whether it may exist is asked later. The principal's type is what the directory
/// says, never what the body says: a condition may depend on it.
fn wished(call: &Call, snapshot: &Snapshot) -> Result<RoleAssignment, Failure> {
    let Body { properties } = call.json()?;
    let principal: ObjectId = properties.principal_id.parse().map_err(|_| {
        Failure::invalid("InvalidPrincipalId", "A valid principal ID must be provided for role assignment.").at("principalId")
    })?;
    let known = snapshot.principal(principal).map(|row| row.kind.arm_name());
    Ok(RoleAssignment {
        id: id(call)?,
        scope: call.scope.clone(),
        role: role_id(&properties.role_definition_id)?,
        principal,
        principal_type: known.map_or_else(|| properties.principal_type.clone().unwrap_or_default(), str::to_owned),
        condition: read_condition(&properties)?,
        description: properties.description.filter(|text| !text.is_empty()),
        created: call.ctx.now,
        updated: call.ctx.now,
        created_by: Some(call.me()),
    })
}

/// The GUID at the end of a role definition's id.
fn role_id(text: &str) -> Result<RoleId, Failure> {
    let mut segments = text.rsplit('/');
    let id = segments.next().and_then(|guid| guid.parse().ok());
    let named = segments.next().is_some_and(|word| word.eq_ignore_ascii_case("roleDefinitions"));
    id.filter(|_| named).ok_or_else(|| {
        let message =
            "The role definition ID must be an id such as /subscriptions/{id}/providers/Microsoft.Authorization/roleDefinitions/{guid}.";
        Failure::invalid("InvalidRoleDefinitionId", message).at("roleDefinitionId")
    })
}

/// SECURITY: a condition narrows a grant. One that is not understood in full is refused here, never stored and ignored (case 118).
fn read_condition(properties: &Properties) -> Result<Option<String>, Failure> {
    let Some(text) = properties.condition.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let invalid = |message: String| Failure::invalid("InvalidRoleAssignmentCondition", message).at("condition");
    if text.len() > MAX_CONDITION {
        return Err(invalid("The condition is longer than 8 KB.".to_owned()));
    }
    if properties.condition_version.as_deref().is_some_and(|version| version != "2.0") {
        return Err(invalid("The condition's version must be 2.0.".to_owned()));
    }
    let condition = condition::parse(text).map_err(|error| invalid(format!("The condition cannot be used: {error}.")))?;
    // A condition on something that is never supplied would never be met: its writer expects otherwise.
    if let Some((_, name)) = condition.attributes().into_iter().find(|(source, name)| !is_supplied(*source, name)) {
        return Err(invalid(format!("The condition looks at the attribute '{name}', which is not supplied here.")));
    }
    Ok(Some(text.to_owned()))
}

/// Whether requests come with the attribute; see [`attributes`] here and in `delete`.
fn is_supplied(source: AttributeSource, name: &str) -> bool {
    const NAMES: [&str; 3] = [
        "microsoft.authorization/roleassignments:roledefinitionid",
        "microsoft.authorization/roleassignments:principalid",
        "microsoft.authorization/roleassignments:principaltype",
    ];
    matches!(source, AttributeSource::Request | AttributeSource::Resource) && NAMES.contains(&name)
}

/// The principal, when it is one of the caller's own tenant.
fn principal<'a>(call: &Call, snapshot: &'a Snapshot, id: ObjectId) -> Result<&'a Principal, Failure> {
    snapshot.principal(id).map(AsRef::as_ref).filter(|row| row.tenant == call.tenant()).ok_or_else(|| {
        let message = format!(
            "Principal {} does not exist in the directory {}. Check that you have the correct principal ID.",
            id.uuid().simple(),
            call.tenant()
        );
        Failure::invalid("PrincipalNotFound", message)
    })
}

fn check(call: &Call, snapshot: &Snapshot, next: &RoleAssignment, role: &RoleDefinition, principal: &Principal) -> Result<(), Failure> {
    let Body { properties } = call.json()?;
    if let Some(said) = properties.principal_type.as_deref().filter(|said| !said.is_empty())
        && !said.eq_ignore_ascii_case(principal.kind.arm_name())
    {
        let message = format!(
            "The PrincipalId '{}' has type '{}', which is different from specified PrincipalType '{said}'.",
            principal.id.uuid().simple(),
            principal.kind.arm_name()
        );
        return Err(Failure::invalid("UnmatchedPrincipalType", message));
    }
    if next.description.as_ref().is_some_and(|text| text.len() > MAX_DESCRIPTION) {
        return Err(Failure::invalid("InvalidRoleAssignmentDescription", "The description is longer than 2 KB.").at("description"));
    }
    if !scopes::exists(snapshot, &next.scope) {
        return Err(Failure::no_such(&next.scope));
    }
    if !role_definitions::is_assignable(snapshot, role, &next.scope) {
        let message = format!(
            "The provided scope '{}' is not assignable for role definition '{}'.",
            next.scope,
            next.scope.role_definition_id(role.id)
        );
        return Err(Failure::invalid("RoleAssignmentScopeNotAssignableToRoleDefinition", message));
    }
    Ok(())
}

/// What only a new assignment can break: that it is a second one of the same, or one too many.
fn check_new(snapshot: &Snapshot, next: &RoleAssignment) -> Result<(), Failure> {
    let policy = snapshot.policy();
    if let Some(same) = policy.assigned(&next.scope, next.role, next.principal) {
        let message = format!("The role assignment already exists. The ID of the existing role assignment is {}.", same.uuid().simple());
        return Err(Failure::conflict("RoleAssignmentExists", message));
    }
    let too_many = |most: usize| {
        let message = format!("No more role assignments can be created (code: RoleAssignmentLimitExceeded). The limit is {most}.");
        Failure::invalid("RoleAssignmentLimitExceeded", message)
    };
    let (count, most) = match (next.scope.kind(), next.scope.subscription_id()) {
        (_, Some(id)) => (policy.count_at_and_below(&Scope::subscription(id)), PER_SUBSCRIPTION),
        (ScopeKind::ManagementGroup, None) => (policy.count_at(&next.scope), PER_MANAGEMENT_GROUP),
        _ => return Ok(()),
    };
    if count >= most { Err(too_many(most)) } else { Ok(()) }
}
