//! The lists of models.

use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn v1_lists_what_a_client_may_pass_as_model() {
    let mut world = World::new().await;
    let request = world.get("/ai/demo-ai/openai/v1/models");
    let created = 1_795_219_200;
    let model = |id: &str| json!({"id": id, "object": "model", "created": created, "owned_by": "keyless"});
    assert_eq!(world.send(request).await.json(), json!({"object": "list", "data": [model("chat"), model("embed")]}));
    let request = world.get("/ai/demo-ai/openai/v1/models/CHAT");
    assert_eq!(world.send(request).await.json(), model("chat"));
    let request = world.get("/ai/demo-ai/openai/v1/models/nothing");
    assert_eq!(world.send(request).await.status, 404);
    assert!(world.server.seen().is_empty());
}

#[tokio::test]
async fn the_dated_list_names_the_models_themselves() {
    let mut world = World::new().await;
    world.change_deployment("embed", |deployment| deployment.model.name = "chat-model".into()).await;
    let request = world.get("/ai/demo-ai/openai/models?api-version=2024-10-21");
    let list = world.send(request).await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "two deployments of one model are one model");
    assert_eq!((&list["data"][0]["id"], &list["data"][0]["status"]), (&json!("chat-model"), &json!("succeeded")));
    assert_eq!(world.test.audit.last().operation, "Models_List");
}

#[tokio::test]
async fn the_list_needs_its_own_right() {
    let mut world = World::new().await;
    let chat = world.test.account.join("deployments/chat").unwrap();
    world.test.assign(keyless_rbac::builtin::COGNITIVE_SERVICES_OPENAI_USER, world.test.app.object_id, &chat).await;
    let token = format!("Bearer {}", world.test.token(world.test.app, AUDIENCE));
    let mut request = post("/ai/demo-ai/openai/v1/models", &[("authorization", &token)], "");
    *request.method_mut() = http::Method::GET;
    assert!(world.send(request).await.body.contains("OpenAI/models/read"));
}
