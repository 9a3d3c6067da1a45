//! Management groups: what is granted at one holds in every subscription below.

use keyless_model::Scope;
use keyless_rbac::builtin;
use serde_json::json;

use crate::support::Plane;

const MG: &str = "/providers/Microsoft.Management/managementGroups";

async fn with_root_owner() -> Plane {
    let plane = Plane::new().await;
    plane.test.assign(builtin::OWNER, plane.test.operator.object_id, &Scope::root()).await;
    plane
}

#[tokio::test]
async fn a_grant_at_a_group_holds_in_its_subscriptions_and_ends_when_they_leave() {
    let plane = with_root_owner().await;
    let (operator, app) = (plane.test.operator, plane.test.app);
    plane.put(operator, &format!("{MG}/top"), json!({ "properties": { "displayName": "Top" } })).await.expect(200);
    let parent = json!({ "properties": { "details": { "parent": { "id": format!("{MG}/top") } } } });
    plane.put(operator, &format!("{MG}/team"), parent).await.expect(200);
    plane.assign(operator, &Scope::management_group("top").unwrap(), builtin::READER, app).await.expect(201);
    assert_eq!(plane.get(app, plane.test.account.as_str()).await.status, 403);
    let member = format!("{MG}/team/subscriptions/{}", keyless_testkit::SUBSCRIPTION);
    plane.put(operator, &member, json!({})).await.expect(200);
    assert_eq!(plane.get(app, plane.test.account.as_str()).await.status, 200);
    let children = plane.get(operator, &format!("{MG}/team?$expand=children")).await.expect(200);
    assert_eq!(children["properties"]["children"][0]["name"], json!(keyless_testkit::SUBSCRIPTION));
    assert_eq!(plane.delete(operator, &format!("{MG}/team")).await.error(), (400, "BadRequest"), "not while it holds anything");
    plane.delete(operator, &member).await.expect(200);
    assert_eq!(plane.get(app, plane.test.account.as_str()).await.status, 403);
    plane.delete(operator, &format!("{MG}/team")).await.expect(204);
    plane.delete(operator, &format!("{MG}/top")).await.expect(204);
    assert_eq!(plane.test.snapshot().policy().assignments_of(app.object_id).count(), 0);
}

#[tokio::test]
async fn an_administrator_of_a_group_does_not_pull_foreign_subscriptions_in() {
    let plane = with_root_owner().await;
    plane.put(plane.test.operator, &format!("{MG}/mine"), json!({})).await.expect(200);
    let group = Scope::management_group("mine").unwrap();
    let who = plane.holder("owner-of-mine", builtin::OWNER, &group).await;
    let member = format!("{MG}/mine/subscriptions/{}", keyless_testkit::SUBSCRIPTION);
    assert_eq!(plane.put(who, &member, json!({})).await.error(), (403, "AuthorizationFailed"));
    assert_eq!(plane.put(who, &format!("{MG}/other"), json!({})).await.error(), (403, "AuthorizationFailed"));
}

#[tokio::test]
async fn groups_form_no_circle() {
    let plane = with_root_owner().await;
    let operator = plane.test.operator;
    let below = |parent: &str| json!({ "properties": { "details": { "parent": { "id": format!("{MG}/{parent}") } } } });
    plane.put(operator, &format!("{MG}/a"), json!({})).await.expect(200);
    plane.put(operator, &format!("{MG}/b"), below("a")).await.expect(200);
    assert_eq!(plane.put(operator, &format!("{MG}/a"), below("b")).await.error(), (400, "BadRequest"));
    assert_eq!(plane.put(operator, &format!("{MG}/a"), below("a")).await.error(), (400, "BadRequest"));
    assert_eq!(plane.put(operator, &format!("{MG}/a"), below("absent")).await.status, 404);
    for (name, parent) in [("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f")] {
        plane.put(operator, &format!("{MG}/{name}"), below(parent)).await.expect(200);
    }
    assert_eq!(plane.put(operator, &format!("{MG}/h"), below("g")).await.error(), (400, "BadRequest"), "six levels below the first");
}

fn below(parent: &str) -> serde_json::Value {
    json!({ "parentGroupId": format!("{MG}/{parent}") })
}

/// Owner of `mine` and Contributor of `victim`, which holds the subscription.
async fn lead() -> (Plane, keyless_testkit::Who) {
    let plane = with_root_owner().await;
    let operator = plane.test.operator;
    for group in ["mine", "victim"] {
        plane.put(operator, &format!("{MG}/{group}"), json!({})).await.expect(200);
    }
    plane.put(operator, &format!("{MG}/victim/subscriptions/{}", keyless_testkit::SUBSCRIPTION), json!({})).await.expect(200);
    let lead = plane.holder("lead", builtin::OWNER, &Scope::management_group("mine").unwrap()).await;
    plane.test.assign(builtin::CONTRIBUTOR, lead.object_id, &Scope::management_group("victim").unwrap()).await;
    (plane, lead)
}

#[tokio::test]
async fn a_contributor_of_a_group_does_not_move_it_below_its_own_d3() {
    let (plane, lead) = lead().await;
    for (method, body) in
        [("PATCH", below("mine")), ("PUT", json!({ "properties": { "details": { "parent": { "id": format!("{MG}/mine") } } } }))]
    {
        let refused = plane.ask(lead, method, &format!("{MG}/victim"), body).await;
        assert_eq!(refused.error(), (403, "AuthorizationFailed"), "{method}");
        assert!(refused.message().contains("Microsoft.Authorization/roleAssignments/write"), "{}", refused.message());
    }
    assert_eq!(plane.assign(lead, &plane.subscription(), builtin::OWNER, lead).await.status, 403);
    // What is no move needs no more than before.
    plane.ask(lead, "PATCH", &format!("{MG}/victim"), json!({ "displayName": "Theirs" })).await.expect(200);
}

#[tokio::test]
async fn a_move_asks_for_the_right_in_everything_that_moves_d3() {
    let (plane, lead) = lead().await;
    plane.test.assign(builtin::USER_ACCESS_ADMINISTRATOR, lead.object_id, &Scope::management_group("victim").unwrap()).await;
    let permissions = vec![keyless_model::entity::Permissions { actions: vec!["Microsoft.Authorization/*".into()], ..Default::default() }];
    let deny = keyless_model::entity::DenyAssignment {
        id: keyless_model::DenyAssignmentId::from_u128(0xd),
        name: "freeze".into(),
        description: String::new(),
        scope: plane.subscription(),
        do_not_apply_to_child_scopes: false,
        permissions,
        principals: [keyless_model::entity::DenyPrincipal::Object(lead.object_id)].into(),
        exclude_principals: [].into(),
        created: keyless_model::Timestamp::from_unix_secs(0),
    };
    plane.test.put(deny.clone()).await;
    let refused = plane.ask(lead, "PATCH", &format!("{MG}/victim"), below("mine")).await;
    assert_eq!(refused.error(), (403, "AuthorizationFailed"), "denied in the subscription that would come along");
    plane.test.delete(deny).await;
    plane.ask(lead, "PATCH", &format!("{MG}/victim"), below("mine")).await.expect(200);
}

/// The group's own document was set aside; what it held still names it.
#[tokio::test]
async fn a_new_group_that_has_something_in_it_is_a_move_d3() {
    let plane = with_root_owner().await;
    let subscription = plane.test.snapshot().subscriptions().next().unwrap().as_ref().clone();
    plane.test.put(keyless_model::entity::Subscription { management_group: Some("lost".into()), ..subscription }).await;
    let contributor = plane.holder("contributor", builtin::CONTRIBUTOR, &Scope::root()).await;
    let refused = plane.put(contributor, &format!("{MG}/lost"), json!({})).await;
    assert_eq!(refused.error(), (403, "AuthorizationFailed"));
    assert!(refused.message().contains("Microsoft.Authorization/roleAssignments/write"), "{}", refused.message());
    plane.put(contributor, &format!("{MG}/empty"), json!({})).await.expect(200);
    plane.put(plane.test.operator, &format!("{MG}/lost"), json!({})).await.expect(200);
}

#[tokio::test]
async fn what_a_parent_denies_is_not_left_by_moving_out_d3() {
    let (plane, lead) = lead().await;
    plane.test.assign(builtin::USER_ACCESS_ADMINISTRATOR, lead.object_id, &Scope::management_group("victim").unwrap()).await;
    let permissions = vec![keyless_model::entity::Permissions {
        actions: vec!["Microsoft.CognitiveServices/accounts/delete".into()],
        ..Default::default()
    }];
    plane
        .test
        .put(keyless_model::entity::DenyAssignment {
            id: keyless_model::DenyAssignmentId::from_u128(0xd),
            name: "keep".into(),
            description: String::new(),
            scope: Scope::management_group("victim").unwrap(),
            do_not_apply_to_child_scopes: false,
            permissions,
            principals: [keyless_model::entity::DenyPrincipal::Everyone].into(),
            exclude_principals: [].into(),
            created: keyless_model::Timestamp::from_unix_secs(0),
        })
        .await;
    let operator = plane.test.operator;
    // Owner of the subscription itself, and of the group it would join; at the denying group it may only take subscriptions out.
    let keeper = plane.holder("keeper", builtin::OWNER, &plane.subscription()).await;
    plane.test.assign(builtin::OWNER, keeper.object_id, &Scope::management_group("mine").unwrap()).await;
    plane.test.assign(builtin::CONTRIBUTOR, keeper.object_id, &Scope::management_group("victim").unwrap()).await;
    let into = format!("{MG}/mine/subscriptions/{}", keyless_testkit::SUBSCRIPTION);
    let out = format!("{MG}/victim/subscriptions/{}", keyless_testkit::SUBSCRIPTION);
    for refused in [plane.put(keeper, &into, json!({})).await, plane.delete(keeper, &out).await] {
        assert_eq!(refused.error(), (403, "AuthorizationFailed"));
        assert!(refused.message().contains("denyAssignments/delete"), "{}", refused.message());
    }
    plane.put(operator, &into, json!({})).await.expect(200);
}
