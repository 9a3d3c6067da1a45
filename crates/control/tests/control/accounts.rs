//! AI accounts: their life, their keys, their rules.

use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

fn path(plane: &Plane, name: &str) -> String {
    format!("{}/providers/Microsoft.CognitiveServices/accounts/{name}", plane.test.group)
}

fn body(domain: &str) -> Value {
    json!({ "sku": { "name": "S0" }, "kind": "OpenAI", "location": "eastus", "properties": { "customSubDomainName": domain } })
}

#[tokio::test]
async fn a_new_account_has_an_endpoint_and_no_usable_key() {
    let plane = Plane::new().await;
    let made = plane.put(plane.test.operator, &path(&plane, "my-openai"), body("my-openai")).await.expect(201);
    assert_eq!(made["properties"]["endpoint"], "https://localhost:8443/ai/my-openai/");
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    assert_eq!((&made["properties"]["disableLocalAuth"], &made["etag"]), (&json!(true), &json!("\"1\"")));
    let keys = plane.post(plane.test.operator, &format!("{}/listKeys", path(&plane, "my-openai")), Value::Null).await;
    assert_eq!(keys.error(), (400, "BadRequest"));
    assert!(keys.message().starts_with("Failed to list key. disableLocalAuth is set to be true."), "{}", keys.message());
    assert!(keys.message().contains("--set properties.disableLocalAuth=false"), "{}", keys.message());
}

#[tokio::test]
async fn keys_are_well_formed_and_regeneration_replaces_one() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let path = path(&plane, "keyed");
    let mut wished = body("keyed");
    wished["properties"]["disableLocalAuth"] = false.into();
    plane.put(operator, &path, wished).await.expect(201);
    let old = plane.post(operator, &format!("{path}/listKeys"), Value::Null).await.expect(200);
    for key in ["key1", "key2"] {
        let key = old[key].as_str().unwrap();
        assert_eq!((key.len(), &key[52..58]), (84, "JQQJ99"));
    }
    let new = plane.post(operator, &format!("{path}/regenerateKey"), json!({ "keyName": "Key1" })).await.expect(200);
    assert_ne!(new["key1"], old["key1"]);
    assert_eq!(new["key2"], old["key2"]);
    assert_eq!(plane.post(operator, &format!("{path}/listkeys"), Value::Null).await.expect(200), new);
    let bad = plane.post(operator, &format!("{path}/regenerateKey"), json!({ "keyName": "Key3" })).await;
    assert_eq!(bad.error(), (400, "InvalidKeyName"));
    // No event holds a key, or a part of the old one's ciphertext.
    let recorded = serde_json::to_string(&plane.test.audit.events()).unwrap();
    for key in [&old["key1"], &new["key1"], &new["key2"]] {
        assert!(!recorded.contains(key.as_str().unwrap()));
    }
    let listed =
        plane.test.audit.events().into_iter().find(|event| event.operation == "Microsoft.CognitiveServices/accounts/listKeys/action");
    assert!(listed.unwrap().decision.unwrap().allowed, "who has seen the keys is recorded");
}

#[tokio::test]
async fn keys_are_not_shown_when_that_cannot_be_recorded() {
    let plane = Plane::new().await;
    let path = plane.test.account.to_string();
    plane.ask(plane.test.operator, "PATCH", &path, json!({ "properties": { "disableLocalAuth": false } })).await.expect(200);
    plane.test.audit.fail("disk full");
    let answer = plane.post(plane.test.operator, &format!("{path}/listKeys"), Value::Null).await;
    assert_eq!(answer.error(), (503, "ServiceUnavailable"));
}

#[tokio::test]
async fn a_reader_and_an_openai_user_do_not_list_keys_n113() {
    let plane = Plane::new().await;
    let reader = plane.holder("reader", builtin::READER, &plane.subscription()).await;
    for who in [reader, plane.test.demo_app] {
        let answer = plane.post(who, &format!("{}/listKeys", plane.test.account), Value::Null).await;
        assert_eq!(answer.error(), (403, "AuthorizationFailed"));
        let expected = format!(
            "The client '{}' with object id '{}' does not have authorization to perform action \
             'Microsoft.CognitiveServices/accounts/listKeys/action' over scope '{}' or the scope is invalid. If access was recently granted, \
             please refresh your credentials.",
            who.client_id, who.object_id, plane.test.account
        );
        assert_eq!(answer.message(), expected);
    }
}

#[tokio::test]
async fn az_resource_update_puts_back_what_it_read() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let path = path(&plane, "oai");
    let mut read = plane.put(operator, &path, body("oai")).await.expect(201);
    read["properties"]["disableLocalAuth"] = false.into();
    read["properties"]["endpoint"] = "https://evil.example".into();
    let after = plane.put(operator, &path, read).await.expect(200);
    assert_eq!(after["properties"]["disableLocalAuth"], false);
    assert_eq!(after["properties"]["endpoint"], "https://localhost:8443/ai/oai/");
}

#[tokio::test]
async fn etags_guard_against_lost_updates() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let path = plane.test.account.to_string();
    let tag = json!({ "tags": { "a": "b" } });
    let changed = plane.ask_with(operator, "PATCH", &path, tag.clone(), &[("if-match", "\"1\"")]).await;
    assert_eq!(changed.headers["etag"], "\"2\"");
    let lost = plane.ask_with(operator, "PATCH", &path, tag, &[("if-match", "\"1\"")]).await;
    assert_eq!(lost.error(), (412, "PreconditionFailed"));
    assert_eq!(plane.ask_with(operator, "PUT", &path, json!({}), &[("if-none-match", "*")]).await.status, 412);
    assert_eq!(plane.ask_with(operator, "DELETE", &path, Value::Null, &[("if-match", "\"1\"")]).await.status, 412);
}

#[tokio::test]
async fn network_rules_are_checked_and_kept() {
    let plane = Plane::new().await;
    let path = plane.test.account.to_string();
    let rules = |value: &str| json!({ "properties": { "networkAcls": { "defaultAction": "Deny", "ipRules": [{ "value": value }], "virtualNetworkRules": [] } } });
    let after = plane.ask(plane.test.operator, "PATCH", &path, rules("10.0.0.1")).await.expect(200);
    assert_eq!(after["properties"]["networkAcls"], rules("10.0.0.1")["properties"]["networkAcls"]);
    let bad = plane.ask(plane.test.operator, "PATCH", &path, rules("everyone")).await;
    assert_eq!(bad.error(), (400, "InvalidApiProperties"));
    let bad = plane.ask(plane.test.operator, "PATCH", &path, json!({ "properties": { "publicNetworkAccess": "Perhaps" } })).await;
    assert_eq!(bad.error(), (400, "InvalidApiProperties"));
}

#[tokio::test]
async fn an_endpoint_name_has_one_owner() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    assert_eq!(plane.put(operator, &path(&plane, "other"), body("DEMO-AI")).await.error(), (409, "CustomDomainInUse"));
    assert_eq!(plane.put(operator, &path(&plane, "other"), body("a/b")).await.error(), (400, "InvalidApiProperties"));
    let check = format!("{}/providers/Microsoft.CognitiveServices/checkDomainAvailability", plane.subscription());
    let taken = plane.post(operator, &check, json!({ "subdomainName": "demo-ai", "type": "x" })).await.expect(200);
    assert_eq!(taken["isSubdomainAvailable"], false);
    // Without a wish the name is made from the account's own.
    let made = plane.put(operator, &path(&plane, "Un.Named"), json!({ "location": "eastus" })).await.expect(201);
    assert_eq!(made["properties"]["customSubDomainName"], "un-named");
}

#[tokio::test]
async fn a_deleted_account_can_be_recovered_or_purged_and_keeps_no_grant() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let identity = json!({ "identity": { "type": "SystemAssigned" } });
    let made = plane.ask(operator, "PATCH", account.as_str(), identity).await.expect(200);
    let system: keyless_model::ObjectId = made["identity"]["principalId"].as_str().unwrap().parse().unwrap();
    assert_eq!(plane.delete(operator, account.as_str()).await.status, 200);
    assert_eq!(plane.get(operator, account.as_str()).await.error(), (404, "ResourceNotFound"));
    assert_eq!(plane.delete(operator, account.as_str()).await.status, 204);
    let snapshot = plane.test.snapshot();
    assert!(snapshot.account_at("demo-ai").is_none() && snapshot.principal(system).is_none());
    assert_eq!(snapshot.policy().assignments_of(plane.test.demo_app.object_id).count(), 0);
    let deleted = format!("{}/providers/Microsoft.CognitiveServices/deletedAccounts", plane.subscription());
    let listed = plane.get(operator, &deleted).await.expect(200);
    let id = listed["value"][0]["id"].as_str().unwrap().to_owned();
    assert!(id.ends_with("/providers/Microsoft.CognitiveServices/locations/local/resourceGroups/demo/deletedAccounts/demo-ai"), "{id}");
    assert_eq!(plane.get(operator, &id).await.status, 200);
    // Creating it anew needs a decision about the old one.
    assert_eq!(plane.put(operator, account.as_str(), body("demo-ai")).await.error(), (409, "FlagMustBeSetForRestore"));
    let restored =
        plane.put(operator, account.as_str(), json!({ "properties": { "restore": true }, "location": "local" })).await.expect(201);
    assert_eq!(restored["properties"]["customSubDomainName"], "demo-ai");
    assert_eq!(plane.get(operator, &format!("{account}/deployments")).await.expect(200)["value"].as_array().unwrap().len(), 2);
    plane.delete(operator, account.as_str()).await.expect(200);
    assert_eq!(plane.delete(operator, &id).await.status, 200);
    assert_eq!(plane.delete(operator, &id).await.status, 204);
    assert!(plane.test.snapshot().account(&account).is_none());
    plane.put(operator, account.as_str(), body("demo-ai")).await.expect(201);
    assert_eq!(plane.get(operator, &format!("{account}/deployments")).await.expect(200)["value"], json!([]));
}

#[tokio::test]
async fn catalogues_show_what_is_deployed() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, &plane.test.account);
    let models = plane.get(operator, &format!("{account}/models")).await.expect(200);
    assert_eq!(models["value"][0]["name"], "chat-model");
    plane
        .put(operator, &format!("{account}/deployments/chat"), json!({ "sku": { "name": "Standard", "capacity": "30" } }))
        .await
        .expect(200);
    let usages =
        plane.get(operator, &format!("{}/providers/Microsoft.CognitiveServices/locations/local/usages", plane.subscription())).await;
    assert_eq!(usages.expect(200)["value"][0]["currentValue"], 30);
    for rest in ["accounts/demo-ai/skus", "accounts/demo-ai/usages"] {
        assert!(
            plane.get(operator, &format!("{}/providers/Microsoft.CognitiveServices/{rest}", plane.test.group)).await.expect(200)["value"]
                [0]
            .is_object()
        );
    }
    assert!(
        plane.get(operator, &format!("{}/providers/Microsoft.CognitiveServices/skus", plane.subscription())).await.expect(200)["value"][0]
            .is_object()
    );
}

#[tokio::test]
async fn rules_without_a_default_action_open_nothing_d16() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let rules = |address: &str| json!({ "properties": { "networkAcls": { "ipRules": [{ "value": address }] } } });
    let set =
        async |body: Value| plane.ask(operator, "PATCH", account.as_str(), body).await.expect(200)["properties"]["networkAcls"].clone();
    assert_eq!(set(rules("10.0.0.1")).await["defaultAction"], "Deny", "a first list means: only these");
    assert_eq!(set(rules("10.0.0.2")).await["defaultAction"], "Deny", "what was denied stays so");
    assert_eq!(set(json!({ "properties": { "networkAcls": { "defaultAction": "Allow" } } })).await["defaultAction"], "Allow");
    let made = format!("{}/providers/Microsoft.CognitiveServices/accounts/closed", plane.test.group);
    let made = plane
        .put(operator, &made, json!({ "location": "local", "properties": { "networkAcls": { "ipRules": [{ "value": "10.0.0.1" }] } } }))
        .await;
    assert_eq!(made.expect(201)["properties"]["networkAcls"]["defaultAction"], "Deny");
}

#[tokio::test]
async fn the_name_of_an_endpoint_is_not_given_up_while_its_account_lives_d16() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let named = |name: &str| json!({ "location": "local", "properties": { "customSubDomainName": name } });
    let refused = plane.ask(operator, "PATCH", account.as_str(), named("other")).await;
    assert_eq!(refused.error(), (400, "InvalidApiProperties"));
    plane.ask(operator, "PATCH", account.as_str(), named("DEMO-AI")).await.expect(200);
    let thief = format!("{}/providers/Microsoft.CognitiveServices/accounts/thief", plane.test.group);
    assert_eq!(plane.put(operator, &thief, named("demo-ai")).await.error(), (409, "CustomDomainInUse"));
    plane.delete(operator, account.as_str()).await;
    assert_eq!(plane.put(operator, &thief, named("demo-ai")).await.error(), (409, "CustomDomainInUse"), "kept for its recovery");
}
