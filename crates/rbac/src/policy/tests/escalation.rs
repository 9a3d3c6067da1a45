//! Delegated role assignment: what keeps a delegate from giving away more than was delegated.

use super::*;

fn asking(role: RoleId, kind: &str) -> Attributes {
    let mut wanted = assignment(0xbad, ObjectId::from_u128(0xb0b), role, AI);
    wanted.principal_type = kind.to_owned();
    Attributes::role_assignment(AttributeSource::Request, &wanted)
}

fn delegate() -> World {
    let mut world = World::new();
    let condition = format!(
        "((!(ActionMatches{{'{ASSIGN}'}})) OR (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] \
         ForAnyOfAnyValues:GuidEquals {{{}}} AND @Request[Microsoft.Authorization/roleAssignments:PrincipalType] \
         ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}))",
        builtin::READER
    );
    let mut delegated = assignment(1, ME, builtin::RBAC_ADMINISTRATOR, SUBSCRIPTION);
    delegated.condition = Some(condition);
    world.put(delegated);
    world
}

#[test]
fn delegate_may_assign_what_the_condition_names_and_not_owner_n115() {
    let world = delegate();
    assert!(world.ask_about(Plane::Control, ASSIGN, AI, &asking(builtin::READER, "ServicePrincipal")).is_allowed());
    let owner = world.ask_about(Plane::Control, ASSIGN, AI, &asking(builtin::OWNER, "ServicePrincipal"));
    assert_eq!(owner.because, Because::ConditionNotMet { id: AssignmentId::from_u128(1) });
    assert!(!world.ask_about(Plane::Control, ASSIGN, AI, &asking(builtin::READER, "User")).is_allowed());
}

#[test]
fn delegate_who_hides_what_is_assigned_is_refused_n118() {
    let world = delegate();
    assert!(!world.may(ASSIGN, AI));
    // Neither may the description of something else stand in for it.
    let resource = Attributes::role_assignment(AttributeSource::Resource, &assignment(9, ME, builtin::READER, AI));
    assert!(!world.ask_about(Plane::Control, ASSIGN, AI, &resource).is_allowed());
    // What the condition does not speak of stays allowed.
    assert!(world.may("Microsoft.Authorization/roleAssignments/read", AI));
}

#[test]
fn assignment_with_an_unreadable_condition_grants_nothing_n118() {
    let mut world = World::new();
    let mut broken = assignment(1, ME, builtin::OWNER, SUBSCRIPTION);
    broken.condition = Some("@Request[x] NumericEquals 5".to_owned());
    world.put(broken);
    assert_eq!(world.ask(Plane::Control, LIST_KEYS, AI).because, Because::ConditionNotMet { id: AssignmentId::from_u128(1) });
}

#[test]
fn roles_that_carry_a_condition_delegate_only_that() {
    for role in [builtin::FOUNDRY_PROJECT_MANAGER, builtin::FOUNDRY_ACCOUNT_OWNER] {
        let mut world = World::new();
        world.assign(1, role, AI);
        assert!(world.ask_about(Plane::Control, ASSIGN, AI, &asking(builtin::FOUNDRY_USER, "User")).is_allowed(), "{role}");
        for wanted in [builtin::OWNER, role, builtin::COGNITIVE_SERVICES_USER] {
            assert!(!world.ask_about(Plane::Control, ASSIGN, AI, &asking(wanted, "User")).is_allowed(), "{role} assigns {wanted}");
        }
        assert!(!world.may(ASSIGN, AI), "{role}");
        // The condition speaks of writes and deletes of assignments; all else the role holds is untouched.
        assert!(world.may("Microsoft.CognitiveServices/accounts/deployments/read", AI), "{role}");
        let removing = Attributes::role_assignment(AttributeSource::Resource, &assignment(9, ME, builtin::OWNER, AI));
        assert!(!world.ask_about(Plane::Control, "Microsoft.Authorization/roleAssignments/delete", AI, &removing).is_allowed(), "{role}");
    }
}

#[test]
fn attaching_an_identity_needs_the_operator_role_n126() {
    let assign = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";
    for (role, allowed) in [
        (builtin::MANAGED_IDENTITY_OPERATOR, true),
        (builtin::CONTRIBUTOR, true),
        (builtin::MANAGED_IDENTITY_CONTRIBUTOR, false),
        (builtin::READER, false),
        (builtin::COGNITIVE_SERVICES_CONTRIBUTOR, false),
    ] {
        let mut world = World::new();
        world.assign(1, role, RG);
        assert_eq!(world.may(assign, RG), allowed, "{role}");
    }
}
