//! What must hold for every policy and every question.

#[path = "support/universe.rs"]
mod universe;

use std::collections::BTreeMap;

use keyless_model::entity::{
    DenyAssignment, Entity, Group, Mutation, Permissions, Principal, PrincipalKind, RoleAssignment, RoleDefinition, RoleKind,
};
use keyless_model::{AssignmentId, DenyAssignmentId, ObjectId, RoleId, Scope, TenantId, Timestamp};
use keyless_rbac::{Attributes, Effect, Plane, Policy, Request, condition};
use proptest::collection::vec;
use proptest::prelude::*;
use universe::{mutation, object, question};

const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-00000000000a";

fn policy(changes: &[u64]) -> Policy {
    let mut policy = Policy::default();
    changes.iter().for_each(|number| policy.apply(&mutation(*number)));
    policy
}

/// A change that puts an assignment of a name that no random change uses.
fn new_assignment(numbers: &[u64]) -> Option<RoleAssignment> {
    numbers.iter().find_map(|number| match mutation(*number) {
        Mutation::Put(entity) => match *entity {
            Entity::RoleAssignment(found) => Some(RoleAssignment { id: AssignmentId::from_u128(u128::MAX), ..found }),
            _ => None,
        },
        Mutation::Delete(_) => None,
    })
}

fn new_deny(numbers: &[u64]) -> Option<DenyAssignment> {
    numbers.iter().find_map(|number| match mutation(*number) {
        Mutation::Put(entity) => match *entity {
            Entity::DenyAssignment(found) => Some(DenyAssignment { id: DenyAssignmentId::from_u128(u128::MAX), ..found }),
            _ => None,
        },
        Mutation::Delete(_) => None,
    })
}

/// Names that are easily confused: one the beginning of another, differing in case, or holding what a pattern might trip over.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("rg1".to_owned()),
        Just("rg10".to_owned()),
        Just("RG1".to_owned()),
        Just("rg1.x".to_owned()),
        Just("rg-1".to_owned()),
        "[a-b]{1,2}"
    ]
}

/// A subscription, a group in it, an account there, or a deployment of it.
fn place() -> impl Strategy<Value = Scope> {
    (0..4_usize, name(), name(), name()).prop_map(|(depth, group, account, deployment)| {
        let tail = [
            String::new(),
            format!("/resourceGroups/{group}"),
            format!("/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}"),
            format!("/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/{deployment}"),
        ];
        universe::scope(&format!("{SUBSCRIPTION}{}", tail[depth]))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn following_changes_equals_building_from_scratch(changes in vec(any::<u64>(), 0..250), questions in vec(any::<u64>(), 40)) {
        let followed = policy(&changes);
        let mut documents = BTreeMap::new();
        for number in &changes {
            match mutation(*number) {
                Mutation::Put(document) => documents.insert(document.key(), *document),
                Mutation::Delete(key) => documents.remove(&key),
            };
        }
        let mut built = Policy::default();
        documents.values().cloned().for_each(|document| built.apply(&Mutation::put(document)));

        for number in questions {
            let question = question(number);
            prop_assert_eq!(followed.decide(&question.request()), built.decide(&question.request()));
            let listed = |policy: &Policy| {
                let scope = &question.scope;
                let lists: [Vec<RoleAssignment>; 3] = [
                    policy.assignments_of(question.principal).collect(),
                    policy.scope_chain(scope).iter().flat_map(|scope| policy.assignments_at(scope)).collect(),
                    policy.assignments_below(scope).collect(),
                ];
                (lists, policy.groups_of(question.principal), policy.scope_chain(scope))
            };
            prop_assert_eq!(listed(&followed), listed(&built));
        }
        let documented: Vec<RoleAssignment> = documents.into_values().filter_map(|document| match document {
            Entity::RoleAssignment(assignment) => Some(assignment),
            _ => None,
        }).collect();
        prop_assert_eq!(followed.assignments().collect::<Vec<_>>(), documented);
    }

    #[test]
    fn an_unrelated_assignment_never_changes_a_decision(
        changes in vec(any::<u64>(), 0..120), more in vec(any::<u64>(), 20), questions in vec(any::<u64>(), 20),
    ) {
        let before = policy(&changes);
        let Some(extra) = new_assignment(&more) else { return Ok(()) };
        let mut after = before.clone();
        after.apply(&Mutation::put(extra.clone()));
        for number in questions {
            let question = question(number);
            let mine = question.principal == extra.principal || before.groups_of(question.principal).contains(&extra.principal);
            if !mine || !before.scope_chain(&question.scope).contains(&extra.scope) {
                prop_assert_eq!(before.decide(&question.request()), after.decide(&question.request()));
            }
        }
    }

    #[test]
    fn one_more_assignment_never_takes_access_away(
        changes in vec(any::<u64>(), 0..120), more in vec(any::<u64>(), 20), questions in vec(any::<u64>(), 20),
    ) {
        let before = policy(&changes);
        let Some(extra) = new_assignment(&more) else { return Ok(()) };
        let mut after = before.clone();
        after.apply(&Mutation::put(extra));
        for number in questions {
            let question = question(number);
            if before.decide(&question.request()).is_allowed() {
                prop_assert!(after.decide(&question.request()).is_allowed());
            }
        }
    }

    #[test]
    fn a_deny_assignment_never_widens_access(
        changes in vec(any::<u64>(), 0..120), more in vec(any::<u64>(), 60), questions in vec(any::<u64>(), 20),
    ) {
        let before = policy(&changes);
        let Some(extra) = new_deny(&more) else { return Ok(()) };
        let mut after = before.clone();
        after.apply(&Mutation::put(extra));
        for number in questions {
            let question = question(number);
            if after.decide(&question.request()).is_allowed() {
                prop_assert!(before.decide(&question.request()).is_allowed());
            }
        }
    }

    #[test]
    fn a_clone_does_not_see_later_changes(changes in vec(any::<u64>(), 0..60), later in vec(any::<u64>(), 1..60), questions in vec(any::<u64>(), 20)) {
        let (published, untouched) = (policy(&changes), policy(&changes));
        let mut next = published.clone();
        later.iter().for_each(|number| next.apply(&mutation(*number)));
        for number in questions {
            let question = question(number);
            prop_assert_eq!(published.decide(&question.request()), untouched.decide(&question.request()));
        }
    }

    #[test]
    fn a_parent_covers_a_child_by_whole_segments(assigned in place(), asked in place()) {
        let everything = RoleDefinition {
            id: RoleId::from_u128(1), role_name: "Everything".to_owned(), description: String::new(), role_kind: RoleKind::CustomRole,
            permissions: vec![Permissions { actions: vec!["*".to_owned()], data_actions: vec!["*".to_owned()], ..Permissions::default() }],
            assignable_scopes: Vec::new(), created: Timestamp::default(), updated: Timestamp::default(), updated_by: None,
        };
        let principal = Principal {
            id: object(0), tenant: TenantId::from_u128(0), kind: PrincipalKind::User, display_name: String::new(), client_id: None,
            enabled: true, home: None, tokens_valid_from: None, created: Timestamp::default(),
        };
        let assignment = RoleAssignment {
            id: AssignmentId::from_u128(1), scope: assigned.clone(), role: RoleId::from_u128(1), principal: object(0),
            principal_type: "User".to_owned(), condition: None, description: None, created: Timestamp::default(),
            updated: Timestamp::default(), created_by: None,
        };
        let mut policy = Policy::default();
        policy.apply(&Mutation::put(everything));
        policy.apply(&Mutation::put(principal));
        policy.apply(&Mutation::put(assignment));

        let segments = |scope: &Scope| scope.as_str().to_lowercase().split('/').map(str::to_owned).collect::<Vec<_>>();
        let covered = segments(&asked).starts_with(&segments(&assigned));
        for plane in [Plane::Control, Plane::Data] {
            let request = Request { principal: object(0), action: "Microsoft.X/y/z", plane, scope: &asked, attributes: Attributes::NONE };
            prop_assert_eq!(policy.decide(&request).is_allowed(), covered);
        }
    }

    #[test]
    fn a_decision_permits_its_own_request_only(changes in vec(any::<u64>(), 100..250), asked in any::<u64>(), other in any::<u64>()) {
        let policy = policy(&changes);
        let (asked, other) = (question(asked), question(other));
        let decision = policy.decide(&asked.request());
        let key = |question: &universe::Question| (question.principal, question.action, question.plane, question.scope.clone(), question.role);
        let same = key(&asked) == key(&other);
        let permit = decision.clone().permit(&other.request());
        prop_assert_eq!(permit.is_ok(), same && decision.is_allowed());
        let mut forged = decision.clone();
        forged.effect = Effect::Allow;
        prop_assert_eq!(forged.permit(&asked.request()).is_ok(), decision.is_allowed());
    }

    #[test]
    fn any_text_is_read_or_refused_as_a_condition(text in "[ !(){}',@\\[\\]&|a-zA-Z:*0-9.-]{0,200}", words in vec(
        prop_oneof![
            Just("("), Just(")"), Just("!"), Just("AND"), Just("OR"), Just("NOT"), Just("ActionMatches{'*'}"), Just("@Request[x]"),
            Just("StringEquals"), Just("'y'"), Just("{"), Just("}"), Just(","), Just("Exists"), Just("ForAnyOfAnyValues:GuidEquals"),
            Just("acdd72a7-3385-48ef-bd42-f606fba81ae7"), Just("é"),
        ], 0..40),
    ) {
        // Reading must end, without a panic, and say where it stopped.
        for text in [text, words.join(" ")] {
            if let Err(error) = condition::parse(&text) {
                prop_assert!(error.at <= text.len());
            }
        }
    }
}

/// A principal in more groups than fit on the stack, in a circle, is decided like any other.
#[test]
fn many_groups_in_a_circle_are_followed_to_the_last() {
    let id = |index: u128| ObjectId::from_u128(index);
    let mut policy = Policy::default();
    let count = 2_000;
    for index in 1..=count {
        let members = [id(index - 1), if index == 1 { id(count) } else { id(index - 1) }].into();
        policy.apply(&Mutation::put(Group { id: id(index), mail_nickname: String::new(), description: None, members }));
    }
    let groups = policy.groups_of(id(0));
    assert_eq!(groups, (1..=count).map(id).collect::<Vec<_>>());
}
