//! Several tenants in one process see nothing of each other.

use keyless_model::Scope;
use keyless_rbac::builtin;
use keyless_testkit::OTHER_TENANT;
use serde_json::{Value, json};

use crate::support::{ARM, Answer, GRAPH, Plane, VERSION};

async fn foreign(plane: &Plane, method: &str, path: &str, body: Value) -> Answer {
    let audience = if path.starts_with("/v1.0") { GRAPH } else { ARM };
    let token = plane.test.token_with(plane.test.foreign_app, audience, OTHER_TENANT, 3600);
    let glue = if path.contains('?') { '&' } else { '?' };
    let uri = format!("{path}{glue}{VERSION}").replace(' ', "%20").replace('\'', "%27");
    let request = http::Request::builder().method(method).uri(uri).header("authorization", format!("Bearer {token}"));
    plane.send(request.body(axum::body::Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn an_owner_of_everything_is_nobody_in_another_tenant_n127() {
    let plane = Plane::new().await;
    let test = &plane.test;
    test.assign(builtin::OWNER, test.foreign_app.object_id, &Scope::root()).await;
    let users = foreign(&plane, "GET", "/v1.0/servicePrincipals", Value::Null).await.expect(200);
    assert_eq!(users["value"].as_array().unwrap().len(), 1, "its own service principal only");
    for path in [format!("/v1.0/servicePrincipals/{}", test.app.object_id), format!("/v1.0/directoryObjects/{}", test.operator.object_id)] {
        for method in ["GET", "DELETE"] {
            let answer = foreign(&plane, method, &path, Value::Null).await;
            assert!(matches!(answer.status.as_u16(), 404 | 405), "{method} {path}");
        }
    }
    let by_name = format!("/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{}')", test.app.client_id);
    assert_eq!(foreign(&plane, "GET", &by_name, Value::Null).await.expect(200)["value"], json!([]));
    let ids = json!({ "ids": [test.app.object_id], "types": ["servicePrincipal"] });
    assert_eq!(foreign(&plane, "POST", "/v1.0/directoryObjects/getByIds", ids).await.expect(200)["value"], json!([]));
    let assignments = foreign(&plane, "GET", "/providers/Microsoft.Authorization/roleAssignments", Value::Null).await.expect(200);
    assert_eq!(assignments["value"].as_array().unwrap().len(), 1, "its own assignment at the root only");
    let other = test.assign(builtin::READER, test.app.object_id, &Scope::root()).await;
    let path = format!("/providers/Microsoft.Authorization/roleAssignments/{}", other.id);
    assert_eq!(foreign(&plane, "GET", &path, Value::Null).await.status, 404);
    assert_eq!(foreign(&plane, "DELETE", &path, Value::Null).await.status, 204);
    assert!(test.snapshot().policy().assignment(other.id).is_some(), "the root is not one tenant's");
    let lock = json!({ "properties": { "level": "ReadOnly" } });
    assert_eq!(foreign(&plane, "PUT", "/providers/Microsoft.Authorization/locks/all", lock).await.error(), (400, "InvalidLock"));
    assert_eq!(foreign(&plane, "GET", &format!("{}/listKeys", test.account), Value::Null).await.status, 405);
    assert_eq!(foreign(&plane, "POST", &format!("{}/listKeys", test.account), Value::Null).await.error(), (404, "SubscriptionNotFound"));
}
