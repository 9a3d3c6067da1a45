//! Golden answers: a reviewer reads a change of the wire as a diff.

use serde_json::{Value, json};

use crate::support::{Plane, assignment, assignment_path};

/// What differs from run to run: nothing. Ids come from seeded randomness and the time stands still.
async fn snapshot(plane: &Plane, name: &str, path: &str) {
    let body: Value = plane.get(plane.test.operator, path).await.expect(200);
    insta::assert_json_snapshot!(name, body);
}

#[tokio::test]
async fn arm_documents_have_azures_shapes() {
    let plane = Plane::new().await;
    let (group, account) = (plane.test.group.clone(), plane.test.account.clone());
    plane.identity("golden-mi").await;
    let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/golden-mi");
    let both = json!({ "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": { identity.as_str(): {} } });
    plane.ask(plane.test.operator, "PATCH", account.as_str(), json!({ "identity": both })).await.expect(200);
    let name = "0f409a94-be60-4d1e-ba0a-48c48aa92a71";
    plane
        .put(plane.test.operator, &assignment_path(&account, name), assignment(&account, keyless_rbac::builtin::READER, plane.test.app))
        .await
        .expect(201);
    snapshot(&plane, "subscription", plane.subscription().as_str()).await;
    snapshot(&plane, "tenants", "/tenants").await;
    snapshot(&plane, "resource_group", group.as_str()).await;
    snapshot(&plane, "identity", &identity).await;
    snapshot(&plane, "account", account.as_str()).await;
    snapshot(&plane, "deployment", &format!("{account}/deployments/chat")).await;
    snapshot(&plane, "host", plane.test.host.as_str()).await;
    snapshot(&plane, "role_assignment", &assignment_path(&account, name)).await;
    let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/b59867f0-fa02-499b-be73-45a86b5b3e1c", plane.subscription());
    snapshot(&plane, "role_definition", &role).await;
    snapshot(&plane, "provider", &format!("{}/providers/Microsoft.CognitiveServices", plane.subscription())).await;
}

#[tokio::test]
async fn graph_documents_have_azures_shapes() {
    let plane = Plane::new().await;
    snapshot(&plane, "graph_service_principal", &format!("/v1.0/servicePrincipals/{}", plane.test.demo_app.object_id)).await;
    snapshot(&plane, "graph_application", &format!("/v1.0/applications?$filter=appId eq '{}'", plane.test.app.client_id)).await;
}

#[tokio::test]
async fn the_endpoints_document_is_what_az_and_terraform_read() {
    let plane = Plane::new().await;
    let get = async |uri: &str| plane.send(http::Request::builder().uri(uri).body(axum::body::Body::empty()).unwrap()).await.expect(200);
    let document = get("//metadata/endpoints?api-version=2022-09-01").await;
    insta::assert_json_snapshot!("metadata_endpoints", document);
    assert_eq!(get("/metadata/endpoints?api-version=2019-05-01").await, json!([document]));
}

#[tokio::test]
async fn errors_have_azures_envelopes() {
    let plane = Plane::new().await;
    let answer = plane.get(plane.test.operator, &format!("{}x", plane.test.account)).await;
    insta::assert_json_snapshot!("arm_error", answer.body);
    assert!(answer.headers.contains_key("x-ms-request-id") && answer.headers["cache-control"] == "no-store");
    let answer = plane.get(plane.test.operator, "/v1.0/users/nobody@keyless.test").await;
    insta::assert_json_snapshot!("graph_error", answer.body, { ".error.innerError" => "[facts]" });
    let tagged = plane.ask_with(plane.test.operator, "GET", "/tenants", Value::Null, &[("x-ms-client-request-id", "abc-1")]).await;
    assert_eq!(tagged.headers["x-ms-client-request-id"], "abc-1");
}
