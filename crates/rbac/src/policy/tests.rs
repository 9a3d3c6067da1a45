//! The negative cases of the specification by number, and what they leave out.

use keyless_model::entity::{
    DenyAssignment, DenyPrincipal, Entity, EntityKey, EntityKind, Group, ManagementGroup, Mutation, Permissions, Principal, PrincipalKind,
    Subscription,
};
use keyless_model::{DenyAssignmentId, SubscriptionId, TenantId, Timestamp};

use super::*;
use crate::{AttributeSource, Attributes, Because, Decision, Plane, Request, builtin};

mod escalation;
mod shape;

const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";
const RG: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1";
const AI: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1/providers/Microsoft.CognitiveServices/accounts/ai";
const CHAT: &str = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";
const LIST_KEYS: &str = "Microsoft.CognitiveServices/accounts/listKeys/action";
const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";
const TENANT: TenantId = TenantId::from_u128(1);
const ME: ObjectId = ObjectId::from_u128(0xa1);

fn scope(text: &str) -> Scope {
    text.parse().expect("a well-formed scope")
}

/// A policy with the built-in roles, in which `ME` is an enabled principal.
struct World(Policy);

impl World {
    fn new() -> Self {
        let mut world = Self(Policy::default());
        builtin::roles().into_iter().for_each(|role| world.put(role));
        world.put(principal(ME));
        world
    }

    fn put(&mut self, entity: impl Into<Entity>) {
        self.0.apply(&Mutation::put(entity));
    }

    fn delete(&mut self, kind: EntityKind, id: impl ToString) {
        self.0.apply(&Mutation::Delete(EntityKey { kind, id: id.to_string() }));
    }

    fn assign(&mut self, number: u128, role: RoleId, scope: &str) {
        self.put(assignment(number, ME, role, scope));
    }

    fn ask(&self, plane: Plane, action: &str, at: &str) -> Decision {
        self.ask_about(plane, action, at, Attributes::NONE)
    }

    fn ask_about(&self, plane: Plane, action: &str, at: &str, attributes: &Attributes) -> Decision {
        let scope = scope(at);
        self.0.decide(&Request { principal: ME, action, plane, scope: &scope, attributes })
    }

    fn may_call(&self, at: &str) -> bool {
        self.ask(Plane::Data, CHAT, at).is_allowed()
    }

    fn may(&self, action: &str, at: &str) -> bool {
        self.ask(Plane::Control, action, at).is_allowed()
    }
}

fn principal(id: ObjectId) -> Principal {
    Principal {
        id,
        tenant: TENANT,
        kind: PrincipalKind::ManagedIdentity,
        display_name: String::new(),
        client_id: None,
        enabled: true,
        home: None,
        tokens_valid_from: None,
        created: Timestamp::default(),
    }
}

fn assignment(number: u128, principal: ObjectId, role: RoleId, at: &str) -> RoleAssignment {
    RoleAssignment {
        id: AssignmentId::from_u128(number),
        scope: scope(at),
        role,
        principal,
        principal_type: "ServicePrincipal".to_owned(),
        condition: None,
        description: None,
        created: Timestamp::default(),
        updated: Timestamp::default(),
        created_by: None,
    }
}

fn group(id: u128, members: &[ObjectId]) -> Group {
    Group { id: ObjectId::from_u128(id), mail_nickname: String::new(), description: None, members: members.iter().copied().collect() }
}

fn deny_chat(at: &str) -> DenyAssignment {
    DenyAssignment {
        id: DenyAssignmentId::from_u128(0xd),
        name: "no chat".to_owned(),
        description: String::new(),
        scope: scope(at),
        do_not_apply_to_child_scopes: false,
        permissions: vec![Permissions { data_actions: vec!["*/chat/*".to_owned()], ..Permissions::default() }],
        principals: [DenyPrincipal::Everyone].into(),
        exclude_principals: BTreeSet::new(),
        created: Timestamp::default(),
    }
}

#[test]
fn an_empty_policy_refuses_everything() {
    let asked = scope(AI);
    let request = Request { principal: ME, action: CHAT, plane: Plane::Data, scope: &asked, attributes: Attributes::NONE };
    let decision = Policy::default().decide(&request);
    assert_eq!((decision.is_allowed(), &decision.because), (false, &Because::PrincipalUnknown));
    let denial = decision.permit(&request).expect_err("a no makes no permit");
    assert_eq!((denial.principal, denial.scope, denial.because), (ME, asked, Because::PrincipalUnknown));
}

#[test]
fn assignment_on_rg1_does_not_reach_rg10_n108() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, RG);
    assert!(world.may_call(AI));
    assert!(!world.may_call(&AI.replace("rg1/", "rg10/")));
    assert!(!world.may_call(&format!("{RG}0")));
    assert_eq!(world.ask(Plane::Data, CHAT, &AI.replace("rg1/", "rg10/")).because, Because::NoAssignment);
}

#[test]
fn scopes_and_actions_in_another_case_are_decided_alike_n109() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, &AI.to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"));
    for at in [AI.to_owned(), AI.to_uppercase(), AI.to_lowercase()] {
        assert!(world.may_call(&at), "{at}");
        assert!(world.ask(Plane::Data, &CHAT.to_uppercase(), &at).is_allowed(), "{at}");
    }
}

#[test]
fn owner_of_the_subscription_holds_no_data_action_n110() {
    let mut world = World::new();
    world.assign(1, builtin::OWNER, SUBSCRIPTION);
    assert!(!world.may_call(AI));
    assert_eq!(world.ask(Plane::Data, CHAT, AI).because, Because::ActionNotGranted { nearest: vec![AssignmentId::from_u128(1)] });
    assert!(world.may(LIST_KEYS, AI));
}

#[test]
fn data_role_holds_no_management_action() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_DATA_READER, SUBSCRIPTION);
    assert!(!world.may("Microsoft.CognitiveServices/accounts/read", AI));
    assert!(world.ask(Plane::Data, "Microsoft.CognitiveServices/accounts/OpenAI/models/read", AI).is_allowed());
}

#[test]
fn cognitive_services_contributor_may_not_chat_n111() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_CONTRIBUTOR, AI);
    assert!(!world.may_call(AI));
    assert!(world.may(LIST_KEYS, AI) && world.may("Microsoft.CognitiveServices/accounts/write", AI));
}

#[test]
fn openai_user_may_call_models_and_nothing_more_n112() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, AI);
    assert!(world.may_call(AI) && world.may_call(&format!("{AI}/deployments/chat")));
    for action in ["fine-tunes/write", "files/write", "stored-completions/read", "deployments/write", "fine-tunes-deployments/write"] {
        let action = format!("Microsoft.CognitiveServices/accounts/OpenAI/{action}");
        assert!(!world.ask(Plane::Data, &action, AI).is_allowed(), "{action}");
    }
    for action in [LIST_KEYS, "Microsoft.CognitiveServices/accounts/deployments/write", ASSIGN] {
        assert!(!world.may(action, AI), "{action}");
    }
}

#[test]
fn reader_may_not_list_keys_n113() {
    let mut world = World::new();
    world.assign(1, builtin::READER, SUBSCRIPTION);
    assert!(!world.may(LIST_KEYS, AI));
    assert!(world.may("Microsoft.CognitiveServices/accounts/read", AI));
}

#[test]
fn contributor_may_not_assign_roles_n114() {
    let mut world = World::new();
    world.assign(1, builtin::CONTRIBUTOR, SUBSCRIPTION);
    assert!(!world.may(ASSIGN, AI) && !world.may("Microsoft.Authorization/roleAssignments/delete", AI));
    assert!(world.may("Microsoft.Authorization/roleAssignments/read", AI) && world.may(LIST_KEYS, AI));
}

#[test]
fn what_one_role_subtracts_another_may_grant_n116() {
    let mut world = World::new();
    world.assign(1, builtin::CONTRIBUTOR, SUBSCRIPTION);
    world.assign(2, builtin::USER_ACCESS_ADMINISTRATOR, RG);
    assert!(world.may(ASSIGN, AI));
    assert!(!world.may(ASSIGN, SUBSCRIPTION));
}

#[test]
fn deny_assignment_beats_every_role_n117() {
    let mut world = World::new();
    world.assign(1, builtin::OWNER, "/");
    world.assign(2, builtin::COGNITIVE_SERVICES_USER, AI);
    assert!(world.may_call(AI));
    world.put(deny_chat(RG));
    assert_eq!(world.ask(Plane::Data, CHAT, AI).because, Because::DenyAssignment { id: DenyAssignmentId::from_u128(0xd) });
    assert!(world.ask(Plane::Data, "Microsoft.CognitiveServices/accounts/OpenAI/models/read", AI).is_allowed());
    world.delete(EntityKind::DenyAssignment, DenyAssignmentId::from_u128(0xd));
    assert!(world.may_call(AI));
}

#[test]
fn excluded_principals_and_members_of_excluded_groups_escape_a_deny_n117() {
    for excluded in [ME, ObjectId::from_u128(0x99)] {
        let mut world = World::new();
        world.assign(1, builtin::COGNITIVE_SERVICES_USER, AI);
        // ME is in 0x98, which is in 0x99.
        world.put(group(0x98, &[ME]));
        world.put(group(0x99, &[ObjectId::from_u128(0x98)]));
        world.put(DenyAssignment { exclude_principals: [excluded].into(), ..deny_chat(RG) });
        assert!(world.may_call(AI), "{excluded}");
    }
}

#[test]
fn deny_for_a_group_reaches_nested_members_n117() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_USER, AI);
    world.put(group(0x98, &[ME]));
    world.put(group(0x99, &[ObjectId::from_u128(0x98)]));
    world.put(DenyAssignment { principals: [DenyPrincipal::Object(ObjectId::from_u128(0x99))].into(), ..deny_chat(RG) });
    assert!(!world.may_call(AI));
    world.put(group(0x98, &[]));
    assert!(world.may_call(AI));
}

#[test]
fn deny_that_spares_child_scopes_holds_at_its_own_only_n117() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_USER, SUBSCRIPTION);
    world.put(DenyAssignment { do_not_apply_to_child_scopes: true, ..deny_chat(RG) });
    assert!(!world.may_call(RG) && world.may_call(AI));
}

#[test]
fn deny_with_an_unreadable_or_unanswerable_condition_stays_in_force() {
    for condition in ["(", "@Request[x] StringEquals 'y'"] {
        let mut world = World::new();
        world.assign(1, builtin::COGNITIVE_SERVICES_USER, AI);
        let mut deny = deny_chat(RG);
        deny.permissions[0].condition = Some(condition.to_owned());
        world.put(deny);
        assert!(!world.may_call(AI), "{condition}");
    }
}

#[test]
fn deployment_level_assignment_opens_one_deployment() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, &format!("{AI}/deployments/chat"));
    assert!(world.may_call(&format!("{AI}/deployments/chat")));
    for other in [format!("{AI}/deployments/chat2"), format!("{AI}/deployments/cha"), AI.to_owned(), format!("{AI}2/deployments/chat")] {
        assert!(!world.may_call(&other), "{other}");
    }
}

#[test]
fn management_groups_hand_down_to_their_subscriptions() {
    let mut world = World::new();
    let management = |name: &str, parent: Option<&str>| ManagementGroup {
        name: name.to_owned(),
        tenant: TENANT,
        display_name: String::new(),
        parent: parent.map(str::to_owned),
    };
    let subscription = |group: Option<&str>| Subscription {
        id: SubscriptionId::from_u128(1),
        tenant: TENANT,
        display_name: String::new(),
        management_group: group.map(str::to_owned),
    };
    world.put(management("platform", None));
    world.put(management("AI", Some("Platform")));
    world.put(subscription(Some("ai")));
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, "/providers/Microsoft.Management/managementGroups/platform");
    assert!(world.may_call(AI));
    let chain: Vec<String> = world.0.scope_chain(&scope(AI)).iter().map(|scope| scope.folded().to_owned()).collect();
    let groups = "/providers/microsoft.management/managementgroups/";
    assert_eq!(chain[3..], [format!("{groups}ai"), format!("{groups}platform"), String::new()]);

    // A circle must neither hang nor grant.
    world.put(management("platform", Some("ai")));
    assert!(world.may_call(AI));
    world.put(subscription(None));
    assert!(!world.may_call(AI));
    world.put(subscription(Some("ai")));
    world.delete(EntityKind::ManagementGroup, "ai");
    assert!(!world.may_call(AI));
}

#[test]
fn root_assignment_of_one_tenant_opens_nothing_in_another() {
    let mut world = World::new();
    world.put(Subscription {
        id: SubscriptionId::from_u128(1),
        tenant: TenantId::from_u128(2),
        display_name: String::new(),
        management_group: None,
    });
    world.assign(1, builtin::OWNER, "/");
    assert_eq!(world.ask(Plane::Control, LIST_KEYS, AI).because, Because::OtherTenant);
}

#[test]
fn group_membership_grants_and_its_end_ends_it() {
    let mut world = World::new();
    let team = ObjectId::from_u128(0x99);
    world.put(assignment(1, team, builtin::COGNITIVE_SERVICES_OPENAI_USER, AI));
    assert!(!world.may_call(AI));
    world.put(group(0x98, &[ME]));
    world.put(group(0x99, &[ObjectId::from_u128(0x98)]));
    let because = world.ask(Plane::Data, CHAT, AI).because;
    let id = AssignmentId::from_u128(1);
    assert_eq!(because, Because::Assignment { id, role: builtin::COGNITIVE_SERVICES_OPENAI_USER, via_group: Some(team) });
    world.delete(EntityKind::Group, ObjectId::from_u128(0x98));
    assert!(!world.may_call(AI));
}

#[test]
fn disabled_and_deleted_principals_are_refused_at_once() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, AI);
    world.put(Principal { enabled: false, ..principal(ME) });
    assert_eq!(world.ask(Plane::Data, CHAT, AI).because, Because::PrincipalDisabled);
    world.delete(EntityKind::Principal, ME);
    assert_eq!(world.ask(Plane::Data, CHAT, AI).because, Because::PrincipalUnknown);
}

#[test]
fn assignment_moved_or_removed_stops_granting() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, AI);
    assert!(world.may_call(AI));
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, &format!("{AI}2"));
    assert!(!world.may_call(AI) && world.may_call(&format!("{AI}2")));
    world.delete(EntityKind::RoleAssignment, AssignmentId::from_u128(1));
    assert!(!world.may_call(&format!("{AI}2")));
    assert_eq!(world.0.assignments().count(), 0);
}

#[test]
fn assignment_of_a_role_that_is_not_there_grants_nothing_until_it_is() {
    let mut world = World::new();
    world.assign(1, builtin::OWNER, AI);
    world.delete(EntityKind::RoleDefinition, builtin::OWNER);
    assert!(!world.may(LIST_KEYS, AI));
    builtin::roles().into_iter().for_each(|role| world.put(role));
    assert!(world.may(LIST_KEYS, AI));
}

#[test]
fn action_with_a_wildcard_or_foreign_characters_is_refused() {
    let mut world = World::new();
    world.assign(1, builtin::OWNER, "/");
    for action in ["*", "Microsoft.Authorization/*", "", "a b", "a/\u{0}", &"a".repeat(300)] {
        assert_eq!(world.ask(Plane::Control, action, AI).because, Because::InvalidAction, "{action:?}");
    }
}
