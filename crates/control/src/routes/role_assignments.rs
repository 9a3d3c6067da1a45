//! `Microsoft.Authorization/roleAssignments`: who may do what.

mod list;

use http::Method;
use keyless_directory::invariant::scopes;
use keyless_model::entity::{Entity, Mutation, Principal, RoleAssignment, RoleDefinition};
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope, ScopeKind};
use keyless_rbac::{AttributeSource, Attributes, condition};
use keyless_store::Snapshot;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::answer::Reply;
use crate::call::{Call, Content, Nothing};
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::route::{ANYWHERE, Route, SUBSCRIPTION};
use crate::routes::role_definitions;

const READ: &str = "Microsoft.Authorization/roleAssignments/read";
const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";
const NAMED: &str = "/providers/Microsoft.Authorization/roleAssignments/{name}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, ANYWHERE, "/providers/Microsoft.Authorization/roleAssignments", Action(READ), list::list),
        Route::new(Method::GET, ANYWHERE, NAMED, Action(READ), show),
        Route::new(Method::GET, SUBSCRIPTION, "/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics", Action(READ), usage),
        Route::attributed(Method::PUT, ANYWHERE, NAMED, Action(WRITE), attributes_of_requested, put),
        Route::attributed(Method::DELETE, ANYWHERE, NAMED, Action(DELETE), attributes_of_known, delete),
    ]
}

/// The most assignments of a subscription, with its groups and resources.
const PER_SUBSCRIPTION: usize = 4000;

/// The assignment's name in the path.
fn id(call: &Call) -> Result<AssignmentId, Failure> {
    call.param("name").parse().map_err(|_| {
        let message = format!("The role assignment ID '{}' is not valid. The role assignment ID must be a GUID.", call.param("name"));
        Failure::new(Code::InvalidRoleAssignmentId, message)
    })
}

/// Whether the assignment is the caller's tenant's business: by its scope, or - at the root, which one process has for several
/// tenants - by its principal.
fn is_ours(call: &Call, snapshot: &Snapshot, row: &RoleAssignment) -> bool {
    let container = match row.scope.kind() {
        ScopeKind::ManagementGroup => snapshot.management_group(row.scope.name()).map(|group| group.tenant),
        _ => row.scope.subscription_id().and_then(|id| snapshot.subscription(id)).map(|row| row.tenant),
    };
    container.or_else(|| snapshot.principal(row.principal).map(|principal| principal.tenant)) == Some(call.tenant())
}

/// The assignment that the path names.
fn named(call: &Call, snapshot: &Snapshot) -> Result<Option<RoleAssignment>, Failure> {
    let row = snapshot.policy().assignment(id(call)?);
    Ok(row.filter(|row| row.scope == call.scope && is_ours(call, snapshot, row)))
}

/// The assignment as ARM shows it to a question at `asked`. The role's id is qualified like the ones in the list of roles at that
/// scope: `az` compares the two as text.
fn shape(row: &RoleAssignment, asked: &Scope) -> Value {
    let qualified = if asked.subscription_id().is_some() { asked } else { &row.scope };
    let prefix = if row.scope == Scope::root() { "" } else { row.scope.as_str() };
    json!({
        "id": format!("{prefix}/providers/Microsoft.Authorization/roleAssignments/{}", row.id),
        "name": row.id,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": qualified.role_definition_id(row.role),
            "principalId": row.principal,
            "principalType": row.principal_type,
            "scope": row.scope,
            "condition": row.condition,
            "conditionVersion": row.condition.as_ref().map(|_| "2.0"),
            "description": row.description,
            "createdOn": row.created.rfc3339(),
            "updatedOn": row.updated.rfc3339(),
            "createdBy": row.created_by,
            // Who changed a condition or description later is in the activity log.
            "updatedBy": row.created_by.filter(|_| row.created == row.updated),
            "delegatedManagedIdentityResourceId": Value::Null,
        },
    })
}

/// `GET {scope}/…/roleAssignments/{guid}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let row = named(&call, &call.snapshot)?;
    let missing = || Failure::new(Code::RoleAssignmentNotFound, format!("The role assignment '{}' is not found.", call.param("name")));
    Ok(Reply::ok(shape(&row.ok_or_else(missing)?, &call.scope)))
}

/// `GET /subscriptions/{id}/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics`: how many assignments there may still be.
async fn usage(call: Allowed) -> Result<Reply, Failure> {
    let count = call.snapshot.policy().count_at_and_below(&call.scope);
    Ok(Reply::ok(json!({
        "subscriptionId": call.scope.subscription_id(),
        "roleAssignmentsLimit": PER_SUBSCRIPTION,
        "roleAssignmentsCurrentCount": count,
        "roleAssignmentsRemainingCount": PER_SUBSCRIPTION.saturating_sub(count),
    })))
}

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

/// The assignment that a request describes; whether it may exist is asked later.
struct Requested {
    id: AssignmentId,
    role: RoleId,
    principal: ObjectId,
    principal_type: Option<String>,
    condition: Option<String>,
    description: Option<String>,
}

impl Content for Requested {
    fn read(call: &Call) -> Result<Self, Failure> {
        let Body { properties } = call.json()?;
        let principal = properties.principal_id.parse().map_err(|_| {
            Failure::new(Code::InvalidPrincipalId, "A valid principal ID must be provided for role assignment.").at("principalId")
        })?;
        Ok(Self {
            principal,
            id: id(call)?,
            role: role_id(&properties.role_definition_id)?,
            condition: read_condition(&properties)?,
            principal_type: properties.principal_type,
            description: properties.description.filter(|text| !text.is_empty()),
        })
    }
}

impl Requested {
    /// The principal's type is what the directory says, never what the body says: a condition may depend on it.
    fn assignment(&self, call: &Call, snapshot: &Snapshot) -> RoleAssignment {
        let known = snapshot.principal(self.principal).map(|row| row.kind.arm_name().to_owned());
        RoleAssignment {
            id: self.id,
            scope: call.scope.clone(),
            role: self.role,
            principal: self.principal,
            principal_type: known.or_else(|| self.principal_type.clone()).unwrap_or_default(),
            condition: self.condition.clone(),
            description: self.description.clone(),
            created: call.ctx.now,
            updated: call.ctx.now,
            created_by: Some(call.me()),
        }
    }
}

/// What conditions of the caller's own assignments look at: the assignment that is about to be made.
fn attributes_of_requested(call: &Call, snapshot: &Snapshot, requested: &Requested) -> Result<Attributes, Failure> {
    Ok(Attributes::role_assignment(AttributeSource::Request, &requested.assignment(call, snapshot)))
}

/// `PUT {scope}/…/roleAssignments/{guid}`: who may do what from the next snapshot on.
async fn put(call: Allowed<Requested>) -> Result<Reply, Failure> {
    let (_, (new, row)) = call
        .commit(|snapshot| {
            let mut next = call.body.assignment(&call, snapshot);
            let role = snapshot.policy().role(next.role).ok_or_else(|| role_definitions::missing(next.role))?;
            let principal = principal(&call, snapshot, next.principal)?;
            check(&call.body, snapshot, &next, role, principal)?;
            next.principal_type = principal.kind.arm_name().to_owned();
            let current = snapshot.policy().assignment(next.id);
            match &current {
                Some(current) => {
                    // Case 120: a name stands for one grant; only its condition and description may change.
                    if (&current.scope, current.role, current.principal) != (&next.scope, next.role, next.principal) {
                        let message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
                        return Err(Failure::new(Code::RoleAssignmentUpdateNotPermitted, message));
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

/// The GUID at the end of a role definition's id.
fn role_id(text: &str) -> Result<RoleId, Failure> {
    let mut segments = text.rsplit('/');
    let id = segments.next().and_then(|guid| guid.parse().ok());
    let named = segments.next().is_some_and(|word| word.eq_ignore_ascii_case("roleDefinitions"));
    id.filter(|_| named).ok_or_else(|| {
        let message =
            "The role definition ID must be an id such as /subscriptions/{id}/providers/Microsoft.Authorization/roleDefinitions/{guid}.";
        Failure::new(Code::InvalidRoleDefinitionId, message).at("roleDefinitionId")
    })
}

/// SECURITY: a condition narrows a grant. One that is not understood in full is refused here, never stored and ignored (case 118).
fn read_condition(properties: &Properties) -> Result<Option<String>, Failure> {
    let Some(text) = properties.condition.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let invalid = |message: String| Failure::new(Code::InvalidRoleAssignmentCondition, message).at("condition");
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

/// Whether requests come with the attribute; see [`attributes_of_requested`] and [`attributes_of_known`].
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
        Failure::new(Code::PrincipalNotFound, message)
    })
}

fn check(
    requested: &Requested,
    snapshot: &Snapshot,
    next: &RoleAssignment,
    role: &RoleDefinition,
    principal: &Principal,
) -> Result<(), Failure> {
    if let Some(said) = requested.principal_type.as_deref().filter(|said| !said.is_empty())
        && !said.eq_ignore_ascii_case(principal.kind.arm_name())
    {
        let message = format!(
            "The PrincipalId '{}' has type '{}', which is different from specified PrincipalType '{said}'.",
            principal.id.uuid().simple(),
            principal.kind.arm_name()
        );
        return Err(Failure::new(Code::UnmatchedPrincipalType, message));
    }
    if next.description.as_ref().is_some_and(|text| text.len() > MAX_DESCRIPTION) {
        return Err(Failure::new(Code::InvalidRoleAssignmentDescription, "The description is longer than 2 KB.").at("description"));
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
        return Err(Failure::new(Code::RoleAssignmentScopeNotAssignableToRoleDefinition, message));
    }
    Ok(())
}

/// What only a new assignment can break: that it is a second one of the same, or one too many.
fn check_new(snapshot: &Snapshot, next: &RoleAssignment) -> Result<(), Failure> {
    let policy = snapshot.policy();
    if let Some(same) = policy.assigned(&next.scope, next.role, next.principal) {
        let message = format!("The role assignment already exists. The ID of the existing role assignment is {}.", same.uuid().simple());
        return Err(Failure::new(Code::RoleAssignmentExists, message));
    }
    let too_many = |most: usize| {
        let message = format!("No more role assignments can be created (code: RoleAssignmentLimitExceeded). The limit is {most}.");
        Failure::new(Code::RoleAssignmentLimitExceeded, message)
    };
    let (count, most) = match (next.scope.kind(), next.scope.subscription_id()) {
        (_, Some(id)) => (policy.count_at_and_below(&Scope::subscription(id)), PER_SUBSCRIPTION),
        (ScopeKind::ManagementGroup, None) => (policy.count_at(&next.scope), PER_MANAGEMENT_GROUP),
        _ => return Ok(()),
    };
    if count >= most { Err(too_many(most)) } else { Ok(()) }
}

/// What conditions of the caller's own assignments look at: the assignment that is about to go.
fn attributes_of_known(call: &Call, snapshot: &Snapshot, _: &Nothing) -> Result<Attributes, Failure> {
    Ok(named(call, snapshot)?.map_or_else(Attributes::default, |row| Attributes::role_assignment(AttributeSource::Resource, &row)))
}

/// `DELETE {scope}/…/roleAssignments/{guid}`: 200 with what was deleted, 204 when there was nothing.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    if named(&call, &call.snapshot)?.is_none() {
        return Ok(Reply::no_content());
    }
    let (_, shown) = call
        .commit(|snapshot| {
            // Gone since: someone else deleted it first.
            let Some(row) = named(&call, snapshot)? else { return Ok((Plan::new(Vec::new(), None, None).unanswered(), None)) };
            let shown = shape(&row, &call.scope);
            Ok((Plan::new(vec![Mutation::Delete(Entity::from(row).key())], Some(shown.clone()), None), Some(shown)))
        })
        .await?;
    Ok(shown.map_or_else(Reply::no_content, Reply::ok))
}
