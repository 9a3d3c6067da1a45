//! Deployments.

use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

fn body(capacity: Value) -> Value {
    json!({
        "properties": { "model": { "format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20" } },
        "sku": { "name": "Standard", "capacity": capacity },
    })
}

#[tokio::test]
async fn capacity_may_be_text_as_az_sends_it() {
    let plane = Plane::new().await;
    let path = format!("{}/deployments/gpt4o", plane.test.account);
    let made = plane.put(plane.test.operator, &path, body(json!("10"))).await.expect(201);
    assert_eq!(made["sku"], json!({ "name": "Standard", "capacity": 10 }));
    let limits = json!([{ "key": "request", "renewalPeriod": 10, "count": 10 }, { "key": "token", "renewalPeriod": 60, "count": 10000 }]);
    assert_eq!(made["properties"]["rateLimits"], limits);
    let more = plane.put(plane.test.operator, &path, body(json!(20))).await.expect(200);
    assert_eq!((&more["sku"]["capacity"], &more["etag"]), (&json!(20), &json!("\"2\"")));
    let patched = plane.ask(plane.test.operator, "PATCH", &path, json!({ "sku": { "capacity": 5 } })).await.expect(200);
    assert_eq!((&patched["sku"]["capacity"], &patched["properties"]["model"]["name"]), (&json!(5), &json!("gpt-4o")));
    for bad in [json!("ten"), json!(0), json!("-1"), json!(1_000_000_000), json!("")] {
        assert_eq!(plane.put(plane.test.operator, &path, body(bad.clone())).await.error(), (400, "InvalidCapacity"), "{bad}");
    }
    assert_eq!(plane.put(plane.test.operator, &path, body(json!(1.5))).await.error(), (400, "InvalidRequestContent"));
}

#[tokio::test]
async fn a_deployment_without_a_sku_gets_the_default_capacity_and_one_without_a_model_is_refused() {
    let plane = Plane::new().await;
    let path = format!("{}/deployments/d", plane.test.account);
    let made = plane
        .put(plane.test.operator, &path, json!({ "properties": { "model": { "format": "OpenAI", "name": "m", "version": "1" } } }))
        .await;
    assert_eq!(made.expect(201)["sku"], json!({ "name": "Standard", "capacity": 10 }));
    let path = format!("{}/deployments/e", plane.test.account);
    assert_eq!(plane.put(plane.test.operator, &path, json!({ "properties": {} })).await.error(), (400, "InvalidResourceProperties"));
    let path = plane.test.account.as_str().replace("demo-ai", "absent") + "/deployments/e";
    assert_eq!(plane.put(plane.test.operator, &path, body(json!(1))).await.error(), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn a_role_at_one_deployment_shows_that_one_and_goes_with_it() {
    let plane = Plane::new().await;
    let chat = plane.test.account.join("deployments/chat").unwrap();
    let who = plane.holder("narrow", builtin::COGNITIVE_SERVICES_OPENAI_USER, &chat).await;
    let seen = plane.get(who, &format!("{}/deployments", plane.test.account)).await.expect(200);
    assert_eq!(seen["value"].as_array().unwrap().iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["chat"]);
    assert_eq!(plane.get(who, &format!("{}/deployments/embed", plane.test.account)).await.status, 403);
    plane.delete(plane.test.operator, chat.as_str()).await.expect(200);
    assert_eq!(plane.delete(plane.test.operator, chat.as_str()).await.status, 204);
    assert_eq!(plane.test.snapshot().policy().assignments_of(who.object_id).count(), 0);
    plane.put(plane.test.operator, chat.as_str(), body(json!(1))).await.expect(201);
    assert_eq!(plane.get(who, chat.as_str()).await.status, 403, "a new deployment of the same name is another one");
}

#[tokio::test]
async fn a_role_can_be_assigned_at_a_deployment_but_not_at_one_to_come() {
    let plane = Plane::new().await;
    let (operator, app) = (plane.test.operator, plane.test.app);
    let chat = plane.test.account.join("deployments/chat").unwrap();
    plane.assign(operator, &chat, builtin::COGNITIVE_SERVICES_OPENAI_USER, app).await.expect(201);
    let future = plane.test.account.join("deployments/tomorrow").unwrap();
    assert_eq!(plane.assign(operator, &future, builtin::COGNITIVE_SERVICES_OPENAI_USER, app).await.error(), (404, "ResourceNotFound"));
}
