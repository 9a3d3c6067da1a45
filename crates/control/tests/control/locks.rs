//! Locks: what they forbid, and to whom.

use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

fn lock(scope: &impl std::fmt::Display) -> String {
    format!("{scope}/providers/Microsoft.Authorization/locks/keep")
}

#[tokio::test]
async fn a_locked_resource_is_not_deleted_directly_or_with_its_group() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let made = plane.put(operator, &lock(&account), json!({ "properties": { "level": "CanNotDelete", "notes": "why" } })).await.expect(201);
    assert_eq!(made["properties"], json!({ "level": "CanNotDelete", "notes": "why" }));
    for path in [account.to_string(), format!("{account}/deployments/chat"), plane.test.group.to_string()] {
        assert_eq!(plane.delete(operator, &path).await.error(), (409, "ScopeLocked"), "{path}");
    }
    plane.ask(operator, "PATCH", account.as_str(), json!({ "tags": { "a": "b" } })).await.expect(200);
    assert_eq!(
        plane.get(operator, &format!("{}/providers/Microsoft.Authorization/locks", plane.subscription())).await.expect(200)["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    plane.delete(operator, &lock(&account)).await.expect(200);
    assert_eq!(plane.delete(operator, &lock(&account)).await.status, 204);
    plane.delete(operator, &format!("{account}/deployments/chat")).await.expect(200);
}

#[tokio::test]
async fn a_read_only_lock_stops_changes_below_and_grants_too() {
    let plane = Plane::new().await;
    let (operator, group) = (plane.test.operator, plane.test.group.clone());
    plane.put(operator, &lock(&group), json!({ "properties": { "level": "ReadOnly" } })).await.expect(201);
    let change = plane.ask(operator, "PATCH", plane.test.account.as_str(), json!({ "tags": { "a": "b" } })).await;
    assert_eq!(change.error(), (409, "ScopeLocked"));
    let grant = plane.assign(operator, &plane.test.account, builtin::READER, plane.test.app).await;
    assert_eq!(grant.error(), (409, "ScopeLocked"));
    plane.delete(operator, &lock(&group)).await.expect(200);
    plane.assign(operator, &plane.test.account, builtin::READER, plane.test.app).await.expect(201);
}

#[tokio::test]
async fn a_contributor_does_not_lift_a_lock() {
    let plane = Plane::new().await;
    let who = plane.holder("contributor", builtin::CONTRIBUTOR, &plane.subscription()).await;
    plane.put(plane.test.operator, &lock(&plane.test.group), json!({ "properties": { "level": "CanNotDelete" } })).await.expect(201);
    assert_eq!(plane.delete(who, &lock(&plane.test.group)).await.error(), (403, "AuthorizationFailed"));
    assert_eq!(plane.put(who, &lock(&plane.test.group), json!({ "properties": { "level": "ReadOnly" } })).await.status, 403);
    let bad = plane.put(plane.test.operator, &lock(&plane.test.group), json!({ "properties": { "level": "Perhaps" } })).await;
    assert_eq!(bad.error(), (400, "InvalidLock"));
    assert_eq!(plane.get(who, &lock(&plane.test.group)).await.expect(200)["properties"]["notes"], Value::Null);
}

#[tokio::test]
async fn a_read_only_lock_shows_and_makes_no_keys_d16() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    plane.ask(operator, "PATCH", account.as_str(), json!({ "properties": { "disableLocalAuth": false } })).await.expect(200);
    plane.post(operator, &format!("{account}/listKeys"), json!({})).await.expect(200);
    let lock = format!("{}/providers/Microsoft.Authorization/locks/freeze", plane.test.group);
    plane.put(operator, &lock, json!({ "properties": { "level": "CanNotDelete" } })).await.expect(201);
    plane.post(operator, &format!("{account}/listKeys"), json!({})).await.expect(200);
    plane.put(operator, &lock, json!({ "properties": { "level": "ReadOnly" } })).await.expect(200);
    for (path, body) in [("listKeys", json!({})), ("regenerateKey", json!({ "keyName": "Key1" }))] {
        assert_eq!(plane.post(operator, &format!("{account}/{path}"), body).await.error(), (409, "ScopeLocked"), "{path}");
    }
    plane.get(operator, account.as_str()).await.expect(200);
    // A caller without the right learns of no lock.
    assert_eq!(plane.post(plane.test.app, &format!("{account}/listKeys"), json!({})).await.status, 403);
}
