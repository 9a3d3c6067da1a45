//! Azure's limits.

use keyless_model::entity::{
    GenericResource, Lock, LockLevel, ManagementGroup, Mutation, ResourceGroup, RoleAssignment, RoleDefinition, RoleKind,
};
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope};
use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

#[tokio::test]
async fn the_four_thousand_and_first_assignment_is_refused_n119() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let known = plane.test.snapshot().policy().assignments().next().unwrap();
    let others = (0..3997_u128).map(|number| {
        let id = AssignmentId::from_u128(0xffff_0000 + number);
        Mutation::put(RoleAssignment { id, principal: ObjectId::from_u128(0xeeee_0000 + number), scope: account.clone(), ..known.clone() })
    });
    plane.test.apply(others).await;
    let (_, last) = plane.identity("last").await;
    let (_, late) = plane.identity("late").await;
    plane.assign(operator, &plane.test.group, builtin::READER, last).await.expect(201);
    let refused = plane.assign(operator, &account, builtin::READER, late).await;
    assert_eq!(refused.error(), (400, "RoleAssignmentLimitExceeded"));
}

#[tokio::test]
async fn bodies_and_queries_have_a_size() {
    let plane = Plane::new().await;
    let path = format!("{}/resourceGroups/big", plane.subscription());
    let body = json!({ "location": "local", "tags": { "a": "x".repeat(2 << 20) } });
    assert_eq!(plane.put(plane.test.operator, &path, body).await.status, 413);
    let body = json!({ "location": "local", "tags": { "a": "x".repeat(300) } });
    assert_eq!(plane.put(plane.test.operator, &path, body).await.error(), (400, "InvalidTagNameOrValue"));
    let long = format!("{}/resourceGroups?$filter={}", plane.subscription(), "a".repeat(3000));
    assert_eq!(plane.get(plane.test.operator, &long).await.status, 400);
}

#[tokio::test]
async fn the_five_hundred_and_first_assignment_of_a_management_group_is_refused() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let group = Scope::management_group("top").unwrap();
    let top = ManagementGroup { name: "top".into(), tenant: keyless_testkit::TENANT, display_name: "Top".into(), parent: None };
    plane.test.put(top).await;
    plane.test.assign(builtin::OWNER, operator.object_id, &Scope::root()).await;
    let known = plane.test.snapshot().policy().assignments().next().unwrap();
    let others = (0..499_u128).map(|number| {
        let id = AssignmentId::from_u128(0xffff_0000 + number);
        Mutation::put(RoleAssignment { id, principal: ObjectId::from_u128(0xeeee_0000 + number), scope: group.clone(), ..known.clone() })
    });
    plane.test.apply(others).await;
    let (_, last) = plane.identity("last").await;
    let (_, late) = plane.identity("late").await;
    plane.assign(operator, &group, builtin::READER, last).await.expect(201);
    assert_eq!(plane.assign(operator, &group, builtin::READER, late).await.error(), (400, "RoleAssignmentLimitExceeded"));
    plane.assign(operator, &plane.test.group.clone(), builtin::READER, late).await.expect(201);
}

#[tokio::test]
async fn the_five_thousand_and_first_custom_role_is_refused() {
    let plane = Plane::new().await;
    let (operator, scope) = (plane.test.operator, plane.subscription());
    let known = plane.test.snapshot().policy().role(builtin::READER).unwrap().clone();
    let others = (0..4999_u128).map(|number| {
        let id = RoleId::from_u128(0xffff_0000 + number);
        let (role_name, role_kind) = (format!("Role {number}"), RoleKind::CustomRole);
        Mutation::put(RoleDefinition { id, role_name, role_kind, assignable_scopes: vec![scope.clone()], ..known.clone() })
    });
    plane.test.apply(others).await;
    let path =
        |number: u32| format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/0f409a94-be60-4d1e-ba0a-48c48aa92a7{number}");
    let role = |name: &str| json!({ "properties": { "roleName": name, "permissions": [{ "actions": ["Microsoft.CognitiveServices/*/read"] }], "assignableScopes": [scope] } });
    plane.put(operator, &path(1), role("Last")).await.expect(201);
    assert_eq!(plane.put(operator, &path(2), role("Late")).await.error(), (400, "RoleDefinitionLimitExceeded"));
    plane.put(operator, &path(1), role("Last, renamed")).await.expect(201);
}

fn files(plane: &Plane, name: &str) -> Scope {
    plane.test.group.join(&format!("providers/Microsoft.Storage/storageAccounts/{name}")).unwrap()
}

fn generic(scope: Scope, body: Value) -> Mutation {
    let created = keyless_model::Timestamp::from_unix_secs(0);
    Mutation::put(GenericResource { scope, location: "local".into(), tags: [].into(), body, created })
}

#[tokio::test]
async fn resources_of_a_type_have_a_bound_in_a_resource_group_d16() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    plane.test.apply((0..799).map(|number| generic(files(&plane, &format!("f{number}")), json!({})))).await;
    let body = json!({ "location": "local" });
    plane.put(operator, files(&plane, "last").as_str(), body.clone()).await.expect(201);
    assert_eq!(plane.put(operator, files(&plane, "late").as_str(), body.clone()).await.error(), (409, "QuotaExceeded"));
    plane.put(operator, files(&plane, "last").as_str(), body.clone()).await.expect(200);
    let other = plane.test.group.join("providers/Microsoft.Network/virtualNetworks/net").unwrap();
    plane.put(operator, other.as_str(), body).await.expect(201);
}

#[tokio::test]
async fn what_resources_keep_has_a_bound_in_a_subscription_d16() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let large = json!({ "properties": { "text": "x".repeat(200 * 1024) } });
    plane.test.apply((0..163).map(|number| generic(files(&plane, &format!("f{number}")), large.clone()))).await;
    let body = json!({ "location": "local", "properties": { "text": "x".repeat(200 * 1024) } });
    assert_eq!(plane.put(operator, files(&plane, "late").as_str(), body).await.error(), (409, "QuotaExceeded"));
    plane.put(operator, files(&plane, "small").as_str(), json!({ "location": "local" })).await.expect(201);
}

#[tokio::test]
async fn a_resource_does_not_grow_by_small_changes_d1() {
    let plane = Plane::new().await;
    let (operator, files) = (plane.test.operator, files(&plane, "files"));
    let part = |name: &str| json!({ "location": "local", "properties": { name: "x".repeat(120 * 1024) } });
    plane.put(operator, files.as_str(), part("a")).await.expect(201);
    plane.ask(operator, "PATCH", files.as_str(), part("b")).await.expect(200);
    assert_eq!(plane.ask(operator, "PATCH", files.as_str(), part("c")).await.error(), (400, "RequestContentTooLarge"));
    let shown = plane.get(operator, files.as_str()).await.expect(200);
    assert!(shown["properties"]["b"].is_string() && shown["properties"]["c"].is_null());
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("end"), |inner, _| json!([inner]))
}

#[tokio::test]
async fn json_that_nests_too_deep_is_refused_before_it_is_kept_in_the_words_of_each_api_d1() {
    let plane = Plane::new().await;
    let (operator, files) = (plane.test.operator, files(&plane, "files"));
    for member in ["properties", "sku", "plan", "zones", "extendedLocation"] {
        for levels in [32, 124, 125, 126] {
            let refused = plane.put(operator, files.as_str(), json!({ "location": "local", member: nested(levels) })).await;
            assert_eq!(refused.error(), (400, "InvalidRequestContent"), "{member} {levels}");
            assert!(refused.message().contains("32 levels"), "{}", refused.message());
        }
    }
    assert!(plane.test.snapshot().resource(&files).is_none());
    plane.put(operator, files.as_str(), json!({ "location": "local", "sku": nested(31) })).await.expect(201);
    let refused = plane.post(operator, "/v1.0/applications", json!({ "displayName": "x", "web": nested(32) })).await;
    assert_eq!(refused.error(), (400, "Request_BadRequest"));
    _ = plane.test.another_node().await;
}

#[tokio::test]
async fn the_audit_shows_nothing_of_what_a_generic_resource_keeps_d2() {
    let plane = Plane::new().await;
    let (operator, files) = (plane.test.operator, files(&plane, "files"));
    let body = json!({ "location": "local", "tags": { "a": "b" }, "sku": { "name": "hidden-1" }, "plan": { "key": "hidden-2" }, "zones": ["hidden-3"], "properties": { "password": "hidden-4" } });
    plane.put(operator, files.as_str(), body).await.expect(201);
    let event = plane.test.audit.last();
    let line = serde_json::to_string(&event).unwrap();
    assert!(!line.contains("hidden"), "{line}");
    assert!(line.contains("storageAccounts/files") && line.contains(r#""sku":"(kept, not shown)""#), "{line}");
}

#[tokio::test]
async fn locks_and_groups_and_management_groups_have_a_bound_d16() {
    let plane = Plane::new().await;
    let (operator, group) = (plane.test.operator, plane.test.group.clone());
    plane.test.assign(builtin::OWNER, operator.object_id, &Scope::root()).await;
    let lock = |number: u32| Lock { scope: group.clone(), name: format!("l{number}"), level: LockLevel::CanNotDelete, notes: None };
    plane.test.apply((0..19).map(|number| Mutation::put(lock(number)))).await;
    let put = |name: &str| format!("{group}/providers/Microsoft.Authorization/locks/{name}");
    let body = json!({ "properties": { "level": "CanNotDelete" } });
    plane.put(operator, &put("last"), body.clone()).await.expect(201);
    assert_eq!(plane.put(operator, &put("late"), body.clone()).await.error(), (409, "QuotaExceeded"));
    plane.put(operator, &put("last"), body).await.expect(200);

    let created = keyless_model::Timestamp::from_unix_secs(0);
    let groups = (0..978).map(|number| {
        let scope = plane.subscription().join(&format!("resourceGroups/g{number}")).unwrap();
        Mutation::put(ResourceGroup { scope, location: "local".into(), tags: [].into(), created })
    });
    plane.test.apply(groups).await;
    let path = |name: &str| format!("{}/resourceGroups/{name}", plane.subscription());
    plane.put(operator, &path("last"), json!({ "location": "local" })).await.expect(201);
    assert_eq!(plane.put(operator, &path("late"), json!({ "location": "local" })).await.error(), (409, "QuotaExceeded"));

    let tenant = keyless_testkit::TENANT;
    let tops = (0..999).map(|number| ManagementGroup { name: format!("m{number}"), tenant, display_name: "m".into(), parent: None });
    plane.test.apply(tops.map(Mutation::put)).await;
    let path = |name: &str| format!("/providers/Microsoft.Management/managementGroups/{name}");
    plane.put(operator, &path("last"), json!({})).await.expect(200);
    assert_eq!(plane.put(operator, &path("late"), json!({})).await.error(), (409, "QuotaExceeded"));
}
