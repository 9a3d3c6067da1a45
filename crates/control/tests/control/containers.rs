//! Subscriptions, resource groups and what they hold.

use keyless_model::Scope;
use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

#[tokio::test]
async fn a_caller_sees_the_subscriptions_where_it_holds_something() {
    let plane = Plane::new().await;
    let test = &plane.test;
    for (who, count) in [(test.operator, 1), (test.demo_app, 1), (test.app, 0)] {
        let list = plane.get(who, "/subscriptions").await.expect(200);
        assert_eq!(list["value"].as_array().unwrap().len(), count);
    }
    let path = plane.subscription().to_string();
    assert_eq!(plane.get(test.demo_app, &path).await.status, 200);
    assert_eq!(plane.get(test.app, &path).await.error(), (403, "AuthorizationFailed"));
    assert_eq!(plane.get(test.app, &format!("{path}/locations")).await.status, 403);
    assert_eq!(plane.get(test.app, &format!("{path}/providers")).await.status, 403);
}

#[tokio::test]
async fn an_unknown_subscription_is_not_found() {
    let plane = Plane::new().await;
    let path = "/subscriptions/99999999-9999-9999-9999-999999999999/resourceGroups/x";
    assert_eq!(plane.get(plane.test.operator, path).await.error(), (404, "SubscriptionNotFound"));
    assert_eq!(plane.get(plane.test.operator, "/subscriptions/nonsense/resourceGroups/x").await.error(), (400, "InvalidResourceId"));
}

#[tokio::test]
async fn a_resource_group_lives_as_az_expects() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    // `az group` writes `resourcegroups`; ids are answered in Azure's spelling all the same.
    let path = format!("{}/resourcegroups/my-rg", plane.subscription());
    let made = plane.put(operator, &path, json!({ "location": "East US" })).await.expect(201);
    assert_eq!(made["id"], format!("{}/resourceGroups/my-rg", plane.subscription()));
    assert_eq!((&made["location"], &made["tags"]), (&json!("eastus"), &Value::Null));
    let again = plane.put(operator, &path, json!({ "location": "eastus", "tags": { "a": "b" } })).await.expect(200);
    assert_eq!(again["tags"], json!({ "a": "b" }));
    let tagged = plane.get(operator, &format!("{}/resourcegroups?$filter=tagname eq 'a' and tagvalue eq 'b'", plane.subscription())).await;
    assert_eq!(tagged.expect(200)["value"].as_array().unwrap().len(), 1);
    assert_eq!(plane.ask(operator, "HEAD", &path, Value::Null).await.status, 204);
    let moved = plane.put(operator, &path, json!({ "location": "westeurope" })).await;
    assert_eq!(moved.error(), (409, "InvalidResourceGroupLocation"));
    assert_eq!(
        plane.put(operator, &format!("{}/resourcegroups/other", plane.subscription()), json!({})).await.error(),
        (400, "LocationRequired")
    );
    assert_eq!(plane.delete(operator, &path).await.status, 200);
    assert_eq!(plane.ask(operator, "HEAD", &path, Value::Null).await.status, 404);
    assert_eq!(plane.delete(operator, &path).await.error(), (404, "ResourceGroupNotFound"));
}

#[tokio::test]
async fn deleting_a_group_deletes_what_is_in_it_and_what_was_granted_on_it() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let group: Scope = format!("{}/resourceGroups/rg", plane.subscription()).parse().unwrap();
    plane.put(test.operator, group.as_str(), json!({ "location": "local" })).await.expect(201);
    let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/own-mi");
    plane.put(test.operator, &identity, json!({ "location": "local" })).await.expect(201);
    let host = format!("{group}/providers/Microsoft.Compute/virtualMachines/vm");
    let body = json!({ "location": "local", "identity": { "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": { identity.as_str(): {} } } });
    let made = plane.put(test.operator, &host, body).await.expect(201);
    let system: keyless_model::ObjectId = made["identity"]["principalId"].as_str().unwrap().parse().unwrap();
    test.assign(builtin::READER, system, &test.group).await;
    test.assign(builtin::READER, test.app.object_id, &group).await;
    plane.delete(test.operator, group.as_str()).await.expect(200);
    let snapshot = test.snapshot();
    assert!(snapshot.principal(system).is_none());
    assert!(snapshot.user_assigned(&identity.parse().unwrap()).is_none() && snapshot.host(&host.parse().unwrap()).is_none());
    assert_eq!(snapshot.policy().assignments_of(system).count(), 0, "a system-assigned identity's assignments go with it");
    assert_eq!(snapshot.policy().assignments_of(test.app.object_id).count(), 0, "grants at the group go with it");
}

#[tokio::test]
async fn generic_resources_are_kept_and_reserved_types_are_not() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let path = format!("{}/providers/Microsoft.Storage/storageAccounts/files", plane.test.group);
    let body = json!({ "location": "eastus", "sku": { "name": "LRS" }, "properties": { "a": { "b": 1, "c": 2 } }, "id": "/evil", "tags": { "t": "1" } });
    let made = plane.put(operator, &path, body).await.expect(201);
    assert_eq!((made["id"].as_str(), &made["sku"]["name"]), (Some(path.as_str()), &json!("LRS")));
    let patched = plane.ask(operator, "PATCH", &path, json!({ "properties": { "a": { "b": null, "d": 3 } } })).await.expect(200);
    assert_eq!(patched["properties"], json!({ "a": { "c": 2, "d": 3 } }));
    let list = plane
        .get(operator, &format!("{}/resources?$filter=resourceType eq 'Microsoft.Storage/storageAccounts'", plane.subscription()))
        .await;
    assert_eq!(list.expect(200)["value"][0]["id"], path);
    let all = plane.get(operator, &format!("{}/resources?$filter=resourceGroup eq 'demo'", plane.subscription())).await.expect(200);
    assert_eq!(all["value"].as_array().unwrap().len(), 5);
    for reserved in ["Microsoft.Authorization/roleThings/x", "Microsoft.ManagedIdentity/others/x", "Microsoft.CognitiveServices/others/x"] {
        let path = format!("{}/providers/{reserved}", plane.test.group);
        assert_eq!(plane.put(operator, &path, json!({ "location": "eastus" })).await.error(), (404, "InvalidResourceType"), "{reserved}");
    }
    assert_eq!(plane.delete(operator, &path).await.status, 200);
    assert_eq!(plane.delete(operator, &path).await.status, 204);
}

#[tokio::test]
async fn an_unsupported_filter_is_an_error_never_everything() {
    let plane = Plane::new().await;
    let (subscription, account) = (plane.subscription(), plane.test.account.clone());
    for path in [
        format!("{subscription}/resourceGroups?$filter=location eq 'x'"),
        format!("{subscription}/resources?$filter=substringof('x',name)"),
        format!("{account}/providers/Microsoft.Authorization/roleDefinitions?$filter=description eq 'x'"),
        format!("{account}/providers/Microsoft.Authorization/roleAssignments?$filter=roleDefinitionId eq 'x'"),
        "/v1.0/servicePrincipals?$filter=accountEnabled eq true".to_owned(),
        "/v1.0/servicePrincipals?$filter=displayName ne 'x'".to_owned(),
        "/v1.0/applications?$filter=createdDateTime ge 2020-01-01".to_owned(),
        "/v1.0/users?$filter=mail eq 'x'".to_owned(),
        "/v1.0/groups?$filter=securityEnabled eq true".to_owned(),
    ] {
        let answer = plane.get(plane.test.operator, &path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert!(answer.body["error"]["message"].is_string());
    }
}
