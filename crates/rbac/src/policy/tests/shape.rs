//! Listings, permits, and the passage between the small and the large form of every collection.

use super::super::chain::{Link, scope_key};
use super::*;
use crate::Permit;

#[test]
fn documents_come_back_as_they_went_in() {
    let mut world = World::new();
    let full = RoleAssignment {
        principal_type: "ForeignGroup".to_owned(),
        condition: Some("ActionMatches{'*'}".to_owned()),
        description: Some("why".to_owned()),
        created: Timestamp::from_unix_secs(5),
        updated: Timestamp::from_unix_secs(6),
        created_by: Some(ObjectId::from_u128(7)),
        ..assignment(1, ME, builtin::READER, AI)
    };
    // An equal scope in another spelling must not lend its spelling.
    let shouting = assignment(2, ME, builtin::READER, &AI.to_uppercase());
    for document in [&full, &shouting] {
        world.put((*document).clone());
        let back = world.0.assignment(document.id).expect("it was put");
        assert_eq!(&back, document);
        assert_eq!(back.scope.as_str(), document.scope.as_str());
    }
    let deny = deny_chat(RG);
    world.put(deny.clone());
    assert_eq!(world.0.deny_assignment(deny.id), Some(&deny));
    assert_eq!(world.0.deny_assignments().collect::<Vec<_>>(), [&deny]);
    assert_eq!(world.0.role(builtin::OWNER).map(|role| role.role_name.as_str()), Some("Owner"));
    assert_eq!(world.0.roles().count(), builtin::roles().len());
}

#[test]
fn collections_keep_their_meaning_as_they_grow_and_shrink() {
    let mut world = World::new();
    let at = |number: u128| if number.is_multiple_of(3) { AI.to_owned() } else { format!("{RG}{number}") };
    for number in 1..=400 {
        world.assign(number, builtin::READER, &at(number));
    }
    let ids = |found: &mut dyn Iterator<Item = RoleAssignment>| found.map(|found| found.id.uuid().as_u128()).collect::<Vec<_>>();
    assert_eq!(ids(&mut world.0.assignments_of(ME)), (1..=400).collect::<Vec<_>>());
    assert_eq!(ids(&mut world.0.assignments_at(&scope(AI))), (1..=400).filter(|number| number % 3 == 0).collect::<Vec<_>>());
    let read = "Microsoft.CognitiveServices/accounts/read";
    for number in 1..=400 {
        assert!(world.may(read, &at(number)), "{number}");
        world.delete(EntityKind::RoleAssignment, AssignmentId::from_u128(number));
        assert_eq!(world.may(read, &at(number)), number.is_multiple_of(3) && number < 399, "{number}");
    }
    assert_eq!(world.0.assignments_of(ME).count(), 0);
    assert_eq!(world.0.assignment_count(), 0);
}

#[test]
fn listings_go_up_and_down_by_whole_segments() {
    let mut world = World::new();
    let places = ["/", SUBSCRIPTION, RG, &format!("{RG}0"), &format!("{RG}-x"), AI, &format!("{AI}/deployments/chat"), &format!("{AI}2")];
    for (number, place) in (1..).zip(places) {
        world.assign(number, builtin::READER, place);
    }
    let ids = |found: Vec<RoleAssignment>| found.into_iter().map(|found| found.id.uuid().as_u128()).collect::<Vec<_>>();
    assert_eq!(ids(world.0.scope_chain(&scope(AI)).iter().flat_map(|scope| world.0.assignments_at(scope)).collect()), [6, 3, 2, 1]);
    let mut below = ids(world.0.assignments_below(&scope(RG)).collect());
    below.sort_unstable();
    assert_eq!(below, [6, 7, 8]);
    assert_eq!(ids(world.0.assignments_below(&scope(AI)).collect()), [7]);
    assert_eq!(world.0.assignments_below(&Scope::root()).count(), 7);
}

#[test]
fn listings_below_a_management_group_enter_its_subscriptions() {
    let mut world = World::new();
    let group = Scope::management_group("ai").expect("well-formed");
    world.put(Subscription {
        id: SubscriptionId::from_u128(1),
        tenant: TENANT,
        display_name: String::new(),
        management_group: Some("AI".to_owned()),
    });
    world.assign(1, builtin::READER, group.as_str());
    world.assign(2, builtin::READER, SUBSCRIPTION);
    world.assign(3, builtin::READER, AI);
    world.assign(4, builtin::READER, "/subscriptions/00000000-0000-0000-0000-000000000002");
    let mut below: Vec<u128> = world.0.assignments_below(&group).map(|found| found.id.uuid().as_u128()).collect();
    below.sort_unstable();
    assert_eq!(below, [2, 3]);
}

#[test]
fn permit_says_who_what_where_and_why() {
    let mut world = World::new();
    world.assign(1, builtin::COGNITIVE_SERVICES_OPENAI_USER, AI);
    let asked = scope(AI);
    let request = Request { principal: ME, action: CHAT, plane: Plane::Data, scope: &asked, attributes: Attributes::NONE };
    let permit = world.0.decide(&request).permit(&request).expect("allowed");
    assert_eq!((permit.principal(), permit.action(), permit.scope()), (Some(ME), CHAT, &asked));
    assert_eq!(permit.assignment(), Some(AssignmentId::from_u128(1)));
    let text = permit.because().to_string();
    assert_eq!(text, format!("assignment {} grants role {}", AssignmentId::from_u128(1), builtin::COGNITIVE_SERVICES_OPENAI_USER));
    assert!(permit.covers(&scope(&format!("{AI}/deployments/chat"))) && !permit.covers(&scope(RG)));
    // Nor for another plane: a data decision must not open the management side of the same name.
    let other = Request { plane: Plane::Control, ..request };
    let denial = world.0.decide(&request).permit(&other).expect_err("another request");
    assert_eq!(denial.because, Because::OtherRequest);
}

#[test]
fn permits_without_a_principal_name_their_ground() {
    #[expect(clippy::disallowed_methods, reason = "what it gives is looked at here")]
    let system = crate::SystemRight::claim().permit("key rotation");
    assert_eq!((system.principal(), system.assignment()), (None, None));
    assert!(system.covers(&scope(AI)));
    assert_eq!(system.because().to_string(), "keyless itself: key rotation");
    let key = Permit::account_key(&scope(AI), CHAT, "1f2e");
    assert!(key.covers(&scope(&format!("{AI}/deployments/chat"))));
    assert!(!key.covers(&scope(&format!("{AI}2"))) && !key.covers(&scope(RG)));
    assert_eq!(key.because().to_string(), "account key 1f2e");
}

#[test]
fn because_is_one_json_object_with_its_rule() {
    let because = Because::Assignment { id: AssignmentId::from_u128(1), role: builtin::READER, via_group: None };
    let json = serde_json::to_value(&because).expect("plain data");
    assert_eq!(
        json,
        serde_json::json!({"rule": "assignment", "id": "00000000-0000-0000-0000-000000000001", "role": "acdd72a7-3385-48ef-bd42-f606fba81ae7"})
    );
    assert_eq!(serde_json::from_value::<Because>(json).expect("its own form"), because);
}

#[test]
fn scopes_whose_keys_collide_stay_apart() {
    let mut world = World::new();
    for (number, count) in [(1, 1), (100, 300)] {
        // Once in the small form, once in the large one.
        (number..number + count).for_each(|number| world.assign(number, builtin::OWNER, AI));
        let subject = world.0.subject(ME).expect("it has assignments");
        let (key, other) = (scope_key(&scope(AI)), scope(&format!("{AI}2")));
        assert_eq!(subject.grants.at(Link { key, folded: other.folded() }).count(), 0);
        assert_ne!(subject.grants.at(Link { key, folded: scope(AI).folded() }).count(), 0);
    }
}
