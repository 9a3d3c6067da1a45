//! What there is to choose from and to ask for: operations, permissions, models, SKUs, usages, and what Keyless has not.

use keyless_control::Config;
use keyless_model::entity::DeploymentModel;
use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

fn model(name: &str) -> DeploymentModel {
    DeploymentModel { format: "OpenAI".into(), name: name.into(), version: None }
}

fn names(list: &Value) -> Vec<&str> {
    list["value"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn configured_models_are_offered_beside_those_deployed() {
    let plane = Plane::with(Config { models: vec![model("qwen3"), model("gpt-4o")], ..Config::default() }).await;
    let models = plane.get(plane.test.operator, &format!("{}/models", plane.test.account)).await.expect(200);
    let offered = names(&models);
    assert!(offered.contains(&"qwen3") && offered.contains(&"gpt-4o"), "{offered:?}");
    for deployed in plane.test.snapshot().deployments_of(&plane.test.account) {
        assert!(offered.contains(&deployed.model.name.as_str()), "{offered:?}");
    }
    let there = format!("{}/providers/Microsoft.CognitiveServices/locations/local/models", plane.subscription());
    let listed = plane.get(plane.test.operator, &there).await.expect(200);
    assert!(listed["value"].as_array().unwrap().iter().any(|row| row["model"]["name"] == "qwen3"), "{listed}");
}

#[tokio::test]
async fn usages_state_the_quota_that_is_enforced() {
    let plane = Plane::with(Config { quota: 100, models: vec![model("idle")], ..Config::default() }).await;
    let operator = plane.test.operator;
    let put = async |name: &str, capacity: u32| {
        let body = json!({ "sku": { "name": "Standard", "capacity": capacity }, "properties": { "model": { "format": "OpenAI", "name": "gpt-4o" } } });
        plane.put(operator, &format!("{}/deployments/{name}", plane.test.account), body).await
    };
    put("one", 60).await.expect(201);
    let refused = put("two", 41).await;
    assert_eq!(refused.error(), (400, "InsufficientQuota"));
    assert_eq!(
        refused.message(),
        "The specified capacity '41' of account deployment is bigger than available capacity '40' for UsageName 'Tokens Per Minute \
         (thousands) - OpenAI.Standard.gpt-4o'."
    );
    put("two", 40).await.expect(201);
    put("one", 60).await.expect(200);
    assert_eq!(put("one", 61).await.error(), (400, "InsufficientQuota"));
    put("one", 30).await.expect(200);
    let there = |location: &str| format!("{}/providers/Microsoft.CognitiveServices/locations/{location}/usages", plane.subscription());
    let shown = plane.get(operator, &there("local")).await.expect(200);
    let row = |list: &Value, name: &str| {
        let found = list["value"].as_array().unwrap().iter().find(|row| row["name"]["value"] == name).cloned();
        found.map(|row| (row["currentValue"].as_u64().unwrap(), row["limit"].as_u64().unwrap()))
    };
    assert_eq!(row(&shown, "OpenAI.Standard.gpt-4o"), Some((70, 100)));
    assert_eq!(row(&shown, "OpenAI.Standard.idle"), Some((0, 100)));
    let own = plane.get(operator, &format!("{}/usages", plane.test.account)).await.expect(200);
    assert_eq!(row(&own, "OpenAI.Standard.gpt-4o"), Some((70, 100)));
    let elsewhere = plane.get(operator, &there("East US")).await.expect(200);
    assert_eq!(row(&elsewhere, "OpenAI.Standard.gpt-4o"), None, "each location has a quota of its own");
}

#[tokio::test]
async fn a_deployment_states_the_limits_that_its_model_gets() {
    let plane = Plane::new().await;
    for (model, period, count) in [("gpt-35-turbo", 10, 20), ("gpt-4.1-mini", 60, 20), ("o1", 60, 3), ("o3-mini", 60, 2)] {
        let body =
            json!({ "sku": { "name": "Standard", "capacity": 20 }, "properties": { "model": { "format": "OpenAI", "name": model } } });
        let made = plane.put(plane.test.operator, &format!("{}/deployments/{model}", plane.test.account), body).await.expect(201);
        let limits =
            json!([{ "key": "request", "renewalPeriod": period, "count": count }, { "key": "token", "renewalPeriod": 60, "count": 20000 }]);
        assert_eq!(made["properties"]["rateLimits"], limits, "{model}");
    }
}

#[tokio::test]
async fn a_role_is_found_by_its_former_name_too() {
    let plane = Plane::new().await;
    let path =
        |name: &str| format!("{}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq '{name}'", plane.test.account);
    for (name, id) in [
        ("Foundry User", builtin::FOUNDRY_USER),
        ("Azure AI User", builtin::FOUNDRY_USER),
        ("azure ai owner", builtin::FOUNDRY_OWNER),
        ("Azure AI Account Owner", builtin::FOUNDRY_ACCOUNT_OWNER),
        ("Azure AI Project Manager", builtin::FOUNDRY_PROJECT_MANAGER),
        ("Azure AI Developer", builtin::AZURE_AI_DEVELOPER),
    ] {
        let found = plane.get(plane.test.operator, &path(name)).await.expect(200);
        assert_eq!(names(&found), [id.to_string()], "{name}");
        assert!(!found["value"][0]["properties"]["roleName"].as_str().unwrap().starts_with("Azure AI U"), "shown under its own name");
    }
    assert_eq!(names(&plane.get(plane.test.operator, &path("Azure AI")).await.expect(200)), [""; 0]);
}

#[tokio::test]
async fn a_caller_sees_its_own_permissions_and_nobody_elses() {
    let plane = Plane::new().await;
    let at = |scope: &str| format!("{scope}/providers/Microsoft.Authorization/permissions");
    let account = plane.test.account.to_string();
    let mine = plane.get(plane.test.demo_app, &at(&account)).await.expect(200);
    let held = &mine["value"][0]["dataActions"];
    assert!(held.as_array().unwrap().iter().any(|action| action.as_str().unwrap().contains("chat/completions")), "{mine}");
    assert_eq!(
        plane.get(plane.test.demo_app, &at(plane.test.group.as_str())).await.expect(200)["value"],
        json!([]),
        "held below, not here"
    );
    assert_eq!(plane.get(plane.test.app, &at(&account)).await.expect(200)["value"], json!([]));
    assert_eq!(plane.get(plane.test.app, &at(&format!("{account}-absent"))).await.expect(200)["value"], json!([]), "not even what exists");
    let owner = plane.get(plane.test.operator, &at(&account)).await.expect(200);
    assert_eq!(owner["value"][0]["actions"], json!(["*"]));
}

#[tokio::test]
async fn operations_are_those_that_are_asked_for() {
    let plane = Plane::new().await;
    let base = "/providers/Microsoft.Authorization/providerOperations";
    let one = plane.get(plane.test.app, &format!("{base}/microsoft.cognitiveservices")).await.expect(200);
    let accounts = one["resourceTypes"].as_array().unwrap().iter().find(|kind| kind["name"] == "accounts").unwrap();
    let has =
        |action: &str| accounts["operations"].as_array().unwrap().iter().any(|row| row["name"] == action && row["isDataAction"] == false);
    assert!(has("Microsoft.CognitiveServices/accounts/read") && has("Microsoft.CognitiveServices/accounts/listKeys/action"), "{accounts}");
    let chat = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";
    assert!(one.to_string().contains(chat));
    let all = plane.get(plane.test.app, base).await.expect(200);
    assert!(names(&all).contains(&"Microsoft.ManagedIdentity"));
    assert_eq!(plane.get(plane.test.app, &format!("{base}/Microsoft.Nothing")).await.error(), (404, "InvalidResourceNamespace"));
    let own = plane.get(plane.test.app, "/providers/Microsoft.ManagedIdentity/operations").await.expect(200);
    assert!(names(&own).contains(&"Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"));
}

#[tokio::test]
async fn registering_needs_the_providers_own_action_and_unregistering_is_refused_with_its_reason() {
    let plane = Plane::new().await;
    let who = plane.holder("registrar", builtin::COGNITIVE_SERVICES_CONTRIBUTOR, &plane.subscription()).await;
    let path = |namespace: &str, verb: &str| format!("{}/providers/{namespace}/{verb}", plane.subscription());
    plane.post(who, &path("Microsoft.CognitiveServices", "register"), Value::Null).await.expect(200);
    assert_eq!(plane.post(who, &path("Microsoft.ManagedIdentity", "register"), Value::Null).await.error(), (403, "AuthorizationFailed"));
    let refused = plane.post(who, &path("Microsoft.CognitiveServices", "unregister"), Value::Null).await;
    assert_eq!(refused.error(), (409, "ResourceProviderCannotBeUnregistered"));
}

#[tokio::test]
async fn carriers_of_an_identity_are_listed_as_far_as_the_caller_may_read_them() {
    let plane = Plane::new().await;
    let (scope, _) = plane.identity("carried").await;
    let block = json!({ "type": "UserAssigned", "userAssignedIdentities": { scope.as_str(): {} } });
    plane.ask(plane.test.operator, "PATCH", plane.test.account.as_str(), json!({ "identity": block })).await.expect(200);
    let path = format!("{scope}/listAssociatedResources");
    let seen = plane.post(plane.test.operator, &path, Value::Null).await.expect(200);
    assert_eq!((&seen["totalCount"], &seen["value"][0]["id"]), (&json!(1), &json!(plane.test.account)));
    let narrow = plane.holder("narrow", builtin::CONTRIBUTOR, &scope).await;
    let hidden = plane.post(narrow, &path, Value::Null).await.expect(200);
    assert_eq!(hidden, json!({ "totalCount": 0, "value": [] }));
}

#[tokio::test]
async fn a_resources_own_identity_is_found_by_its_scope() {
    let plane = Plane::new().await;
    let path = |scope: &str| format!("{scope}/providers/Microsoft.ManagedIdentity/identities/default");
    let host = plane.get(plane.test.operator, &path(plane.test.host.as_str())).await.expect(200);
    assert_eq!(host["properties"]["principalId"], json!(plane.test.host_identity.object_id));
    assert_eq!(plane.get(plane.test.operator, &path(plane.test.account.as_str())).await.error(), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn assignments_left_and_skus_to_be_had_are_told() {
    let plane = Plane::new().await;
    let base = plane.subscription();
    let usage =
        plane.get(plane.test.operator, &format!("{base}/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics")).await.expect(200);
    assert_eq!((&usage["roleAssignmentsCurrentCount"], &usage["roleAssignmentsRemainingCount"]), (&json!(2), &json!(3998)));
    let path = format!("{base}/providers/Microsoft.CognitiveServices/locations/local/checkSkuAvailability");
    let body = json!({ "skus": ["S0", "no SKU"], "kind": "OpenAI", "type": "Microsoft.CognitiveServices/accounts" });
    let told = plane.post(plane.test.operator, &path, body).await.expect(200);
    assert_eq!((&told["value"][0]["skuAvailable"], &told["value"][1]["skuAvailable"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn what_keyless_has_not_is_refused_with_the_reason_and_never_stored() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    for (method, path, says) in [
        ("PUT", format!("{}/providers/Microsoft.Resources/deployments/main", plane.test.group), "keyless apply FILE"),
        ("POST", format!("{}/providers/Microsoft.Resources/deployments/main/validate", plane.test.group), "keyless apply FILE"),
        ("PUT", format!("{}/raiPolicies/strict", plane.test.account), "not filtered here"),
        ("GET", format!("{}/privateEndpointConnections", plane.test.account), "networkAcls"),
        ("PUT", format!("{}/projects/p", plane.test.account), "no projects"),
        ("GET", format!("{}/providers/Microsoft.Authorization/roleEligibilitySchedules", plane.test.account), "role assignments"),
    ] {
        let answer = plane.ask(operator, method, &path, json!({})).await;
        assert_eq!(answer.error(), (501, "NotSupported"), "{method} {path}");
        assert!(answer.message().contains(says), "{}", answer.message());
    }
}
