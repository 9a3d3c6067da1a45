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
    plane.put(operator, &format!("{MG}/top"), json!({ "properties": { "displayName": "Top" } })).await.expect(201);
    let parent = json!({ "properties": { "details": { "parent": { "id": format!("{MG}/top") } } } });
    plane.put(operator, &format!("{MG}/team"), parent).await.expect(201);
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
    plane.delete(operator, &format!("{MG}/team")).await.expect(200);
    plane.delete(operator, &format!("{MG}/top")).await.expect(200);
    assert_eq!(plane.test.snapshot().policy().assignments_of(app.object_id).count(), 0);
}

#[tokio::test]
async fn an_administrator_of_a_group_does_not_pull_foreign_subscriptions_in() {
    let plane = with_root_owner().await;
    plane.put(plane.test.operator, &format!("{MG}/mine"), json!({})).await.expect(201);
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
    plane.put(operator, &format!("{MG}/a"), json!({})).await.expect(201);
    plane.put(operator, &format!("{MG}/b"), below("a")).await.expect(201);
    assert_eq!(plane.put(operator, &format!("{MG}/a"), below("b")).await.error(), (400, "BadRequest"));
    assert_eq!(plane.put(operator, &format!("{MG}/a"), below("a")).await.error(), (400, "BadRequest"));
    assert_eq!(plane.put(operator, &format!("{MG}/a"), below("absent")).await.status, 404);
    for (name, parent) in [("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f")] {
        plane.put(operator, &format!("{MG}/{name}"), below(parent)).await.expect(201);
    }
    assert_eq!(plane.put(operator, &format!("{MG}/h"), below("g")).await.error(), (400, "BadRequest"), "six levels below the first");
}
