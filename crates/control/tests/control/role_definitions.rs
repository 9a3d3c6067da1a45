//! Roles as `az role definition` reads and writes them.

use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

const NAME: &str = "40c5ebd3-126a-4aa8-9f37-2ec066c42feb";

fn path(plane: &Plane) -> String {
    format!("{}/providers/Microsoft.Authorization/roleDefinitions/{NAME}", plane.subscription())
}

fn role(plane: &Plane) -> Value {
    json!({ "properties": {
        "roleName": "My Custom",
        "description": "d",
        "permissions": [{
            "actions": ["Microsoft.CognitiveServices/*/read"],
            "notActions": [],
            "dataActions": ["Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"],
            "notDataActions": [],
        }],
        "assignableScopes": [plane.subscription()],
    } })
}

#[tokio::test]
async fn a_role_is_found_by_its_name_and_only_that() {
    let plane = Plane::new().await;
    let base = format!("{}/providers/Microsoft.Authorization/roleDefinitions", plane.test.account);
    let found = plane.get(plane.test.operator, &format!("{base}?$filter=roleName eq 'Cognitive Services OpenAI User'")).await.expect(200);
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    let id =
        format!("{}/providers/Microsoft.Authorization/roleDefinitions/{}", plane.subscription(), builtin::COGNITIVE_SERVICES_OPENAI_USER);
    assert_eq!(found["value"][0]["id"], id);
    assert_eq!(found["value"][0]["properties"]["type"], "BuiltInRole");
    let none = plane.get(plane.test.operator, &format!("{base}?$filter=roleName eq 'Nobody'")).await.expect(200);
    assert_eq!(none["value"], json!([]));
    assert_eq!(plane.get(plane.test.operator, &id).await.expect(200), found["value"][0]);
}

#[tokio::test]
async fn a_custom_role_is_created_changed_and_deleted() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let made = plane.put(operator, &path(&plane), role(&plane)).await.expect(201);
    assert_eq!(made["properties"]["type"], "CustomRole");
    let mut changed = role(&plane);
    changed["properties"]["description"] = "new".into();
    assert_eq!(plane.put(operator, &path(&plane), changed).await.expect(201)["properties"]["description"], "new", "az takes 201 only");
    let custom = format!("{}/providers/Microsoft.Authorization/roleDefinitions?$filter=type eq 'CustomRole'", plane.subscription());
    assert_eq!(plane.get(operator, &custom).await.expect(200)["value"].as_array().unwrap().len(), 1);
    plane.delete(operator, &path(&plane)).await.expect(200);
    assert_eq!(plane.delete(operator, &path(&plane)).await.status, 204);
}

#[tokio::test]
async fn a_role_in_use_is_not_deleted_n121() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    plane.put(operator, &path(&plane), role(&plane)).await.expect(201);
    plane.assign(operator, &plane.test.account, NAME.parse().unwrap(), plane.test.app).await.expect(201);
    assert_eq!(plane.delete(operator, &path(&plane)).await.error(), (400, "RoleDefinitionHasAssignments"));
    plane.put(operator, &format!("{}/resourceGroups/other", plane.subscription()), json!({ "location": "local" })).await.expect(201);
    let mut narrowed = role(&plane);
    narrowed["properties"]["assignableScopes"] = json!([format!("{}/resourceGroups/other", plane.subscription())]);
    assert_eq!(plane.put(operator, &path(&plane), narrowed).await.error(), (400, "RoleDefinitionHasAssignments"));
}

#[tokio::test]
async fn a_custom_role_breaks_no_rule_of_azures_n123() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    plane.test.assign(builtin::OWNER, operator.object_id, &keyless_model::Scope::root()).await;
    plane.put(operator, "/providers/Microsoft.Management/managementGroups/mg", json!({})).await.expect(200);
    let change = |property: &str, value: Value| {
        let mut body = role(&plane);
        body["properties"][property] = value;
        body
    };
    let group = json!(["/providers/Microsoft.Management/managementGroups/mg"]);
    let cases = [
        (change("assignableScopes", group), "management group scope"),
        (change("assignableScopes", json!(["/"])), "assignable scope"),
        (change("assignableScopes", json!([])), "assignableScopes is empty"),
        (change("assignableScopes", json!(["nonsense"])), "no resource id"),
        (change("assignableScopes", json!(["/subscriptions/99999999-9999-9999-9999-999999999999"])), "does not exist"),
        (change("permissions", json!([])), "permissions"),
        (change("permissions", json!([{ "actions": ["read everything"] }])), "action pattern"),
        (change("permissions", json!([{ "actions": ["*"], "condition": "true" }])), "condition"),
        (change("roleName", json!("")), "name"),
    ];
    for (body, why) in cases {
        let answer = plane.put(operator, &path(&plane), body.clone()).await;
        assert_eq!(answer.error(), (400, "InvalidRoleDefinition"), "{body}");
        assert!(answer.message().contains(why), "{}", answer.message());
    }
    plane.put(operator, &path(&plane), role(&plane)).await.expect(201);
    let other = path(&plane).replace("40c5ebd3", "40c5ebd4");
    assert_eq!(plane.put(operator, &other, role(&plane)).await.error(), (409, "RoleDefinitionWithSameNameExists"));
    let builtin = path(&plane).replace(NAME, &builtin::READER.to_string());
    assert_eq!(plane.put(operator, &builtin, role(&plane)).await.error(), (403, "RoleDefinitionUpdateNotPermitted"));
    assert_eq!(plane.delete(operator, &builtin).await.error(), (403, "RoleDefinitionDeleteNotPermitted"));
}

#[tokio::test]
async fn a_custom_role_is_assigned_only_where_it_may_be() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    plane.put(operator, &format!("{}/resourceGroups/other", plane.subscription()), json!({ "location": "local" })).await.expect(201);
    let other = plane.subscription().join("resourceGroups/other").unwrap();
    let mut narrow = role(&plane);
    narrow["properties"]["assignableScopes"] = json!([other]);
    plane.put(operator, &path(&plane), narrow).await.expect(201);
    let answer = plane.assign(operator, &plane.test.account, NAME.parse().unwrap(), plane.test.app).await;
    assert_eq!(answer.error(), (400, "RoleAssignmentScopeNotAssignableToRoleDefinition"));
    plane.assign(operator, &other, NAME.parse().unwrap(), plane.test.app).await.expect(201);
}
