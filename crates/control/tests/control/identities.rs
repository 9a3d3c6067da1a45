//! Managed identities, what carries them, and whom they trust.

use keyless_model::ObjectId;
use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

fn vm(plane: &Plane, name: &str) -> String {
    format!("{}/providers/Microsoft.Compute/virtualMachines/{name}", plane.test.group)
}

#[tokio::test]
async fn ids_in_a_body_are_ignored_n128() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let path = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/greedy", test.group);
    let forged = json!({ "principalId": test.operator.object_id, "clientId": test.operator.client_id, "tenantId": "x" });
    let body = json!({ "location": "local", "properties": forged, "id": "/evil", "name": "other" });
    let made = plane.put(test.operator, &path, body.clone()).await.expect(201);
    assert_ne!(made["properties"]["principalId"], json!(test.operator.object_id));
    assert_ne!(made["properties"]["clientId"], json!(test.operator.client_id));
    assert_eq!(made["id"], path);
    let again = plane.put(test.operator, &path, body).await.expect(200);
    assert_eq!(again["properties"], made["properties"]);
    // The same for a host's own identity and an account's.
    let identity = json!({ "type": "SystemAssigned", "principalId": test.operator.object_id, "tenantId": "x" });
    for path in [vm(&plane, "forged"), test.account.to_string()] {
        let made = plane.put(test.operator, &path, json!({ "location": "local", "identity": identity })).await;
        assert!(made.status.is_success());
        assert_ne!(made.body["identity"]["principalId"], json!(test.operator.object_id));
    }
}

#[tokio::test]
async fn a_recreated_identity_inherits_nothing_n125() {
    let plane = Plane::new().await;
    let (scope, who) = plane.identity("phoenix").await;
    plane.assign(plane.test.operator, &plane.test.account, builtin::COGNITIVE_SERVICES_CONTRIBUTOR, who).await.expect(201);
    let token_before = plane.get(who, plane.test.account.as_str()).await;
    assert_eq!(token_before.status, 200);
    plane.delete(plane.test.operator, scope.as_str()).await.expect(200);
    assert_eq!(plane.get(who, plane.test.account.as_str()).await.error(), (401, "InvalidAuthenticationToken"), "its tokens stop at once");
    let (_, again) = plane.identity("phoenix").await;
    assert_ne!((again.object_id, again.client_id), (who.object_id, who.client_id));
    assert_eq!(plane.get(again, plane.test.account.as_str()).await.status, 403);
    // As on Azure, the old one's assignment stays as an orphan that names nobody.
    let orphans = plane.test.snapshot().policy().assignments_of(who.object_id).count();
    assert_eq!(orphans, 1);
    assert_eq!(plane.delete(plane.test.operator, "/subscriptions/x").await.status, 400);
}

#[tokio::test]
async fn a_system_assigned_identity_lives_and_dies_with_its_host() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let path = vm(&plane, "vm1");
    let made = plane.put(operator, &path, json!({ "location": "local", "identity": { "type": "SystemAssigned" } })).await.expect(201);
    let id: ObjectId = made["identity"]["principalId"].as_str().unwrap().parse().unwrap();
    plane.test.assign(builtin::READER, id, &plane.test.group).await;
    // Writing the host again keeps the identity it has.
    let again = plane.put(operator, &path, json!({ "location": "local", "identity": { "type": "SystemAssigned" } })).await.expect(200);
    assert_eq!(again["identity"]["principalId"], made["identity"]["principalId"]);
    assert_eq!(plane.put(operator, &path, json!({ "location": "local" })).await.expect(200)["identity"], made["identity"]);
    let none = plane.ask(operator, "PATCH", &path, json!({ "identity": { "type": "None" } })).await.expect(200);
    assert_eq!(none["identity"], Value::Null);
    let snapshot = plane.test.snapshot();
    assert!(snapshot.principal(id).is_none());
    assert_eq!(snapshot.policy().assignments_of(id).count(), 0, "its assignments go with it");
    let new = plane.ask(operator, "PATCH", &path, json!({ "identity": { "type": "SystemAssigned" } })).await.expect(200);
    assert_ne!(new["identity"]["principalId"], made["identity"]["principalId"]);
    plane.delete(operator, &path).await.expect(200);
    assert_eq!(plane.delete(operator, &path).await.status, 204);
}

#[tokio::test]
async fn attaching_an_identity_needs_the_right_to_assign_it_n126() {
    let plane = Plane::new().await;
    let test = &plane.test;
    // May do anything in the group but has no power over the operator's identity, which lives elsewhere.
    plane.put(test.operator, &format!("{}/resourceGroups/work", plane.subscription()), json!({ "location": "local" })).await.expect(201);
    let work = plane.subscription().join("resourceGroups/work").unwrap();
    let worker = plane.holder("worker", builtin::CONTRIBUTOR, &work).await;
    let operator_identity = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/operator", test.group);
    let body = json!({ "location": "local", "identity": { "type": "UserAssigned", "userAssignedIdentities": { operator_identity.as_str(): {} } } });
    let path = format!("{work}/providers/Microsoft.Compute/virtualMachines/vm");
    let account = format!("{work}/providers/Microsoft.CognitiveServices/accounts/ai");
    for path in [&path, &account] {
        let answer = plane.put(worker, path, body.clone()).await;
        assert_eq!(answer.error(), (403, "LinkedAuthorizationFailed"), "{path}");
        assert!(answer.message().contains("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"));
        assert_eq!(test.audit.last().outcome, keyless_audit::Outcome::Denied);
        assert_eq!(plane.get(worker, path).await.status, 404, "nothing was created");
    }
    test.assign(builtin::MANAGED_IDENTITY_OPERATOR, worker.object_id, &operator_identity.parse().unwrap()).await;
    let made = plane.put(worker, &path, body).await.expect(201);
    assert_eq!(made["identity"]["userAssignedIdentities"][&operator_identity]["clientId"], json!(test.operator.client_id));
}

#[tokio::test]
async fn a_deleted_identity_leaves_every_carrier() {
    let plane = Plane::new().await;
    let (scope, _) = plane.identity("carried").await;
    let body = json!({ "location": "local", "identity": { "type": "UserAssigned", "userAssignedIdentities": { scope.as_str(): {} } } });
    let path = vm(&plane, "vm");
    plane.put(plane.test.operator, &path, body).await.expect(201);
    plane.delete(plane.test.operator, scope.as_str()).await.expect(200);
    assert_eq!(plane.get(plane.test.operator, &path).await.expect(200)["identity"], Value::Null);
    assert!(plane.test.snapshot().host(&path.parse().unwrap()).unwrap().identity.user.is_empty());
}

#[tokio::test]
async fn attaching_what_does_not_exist_is_refused() {
    let plane = Plane::new().await;
    let ghost = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ghost", plane.test.group);
    let body = json!({ "location": "local", "identity": { "type": "UserAssigned", "userAssignedIdentities": { ghost.as_str(): {} } } });
    assert_eq!(plane.put(plane.test.operator, &vm(&plane, "vm"), body).await.error(), (403, "LinkedAuthorizationFailed"));
}

fn credential(issuer: &str, subject: &str, audiences: &[&str]) -> Value {
    json!({ "properties": { "issuer": issuer, "subject": subject, "audiences": audiences } })
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const AUDIENCE: &str = "api://AzureADTokenExchange";

#[tokio::test]
async fn a_federated_credential_lives_as_az_expects() {
    let plane = Plane::new().await;
    let (scope, _) = plane.identity("federated").await;
    let path = format!("{scope}/federatedIdentityCredentials/github");
    let made = plane.put(plane.test.operator, &path, credential(GITHUB, "repo:o/r:ref:refs/heads/main", &[AUDIENCE])).await.expect(201);
    assert_eq!(made["id"], path);
    assert_eq!(made["properties"], credential(GITHUB, "repo:o/r:ref:refs/heads/main", &[AUDIENCE])["properties"]);
    let changed = plane.put(plane.test.operator, &path, credential(GITHUB, "repo:o/r:environment:prod", &[AUDIENCE])).await.expect(200);
    assert_eq!(changed["properties"]["subject"], "repo:o/r:environment:prod");
    let list = plane.get(plane.test.operator, &format!("{scope}/federatedIdentityCredentials")).await.expect(200);
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    assert_eq!(plane.delete(plane.test.operator, &path).await.status, 200);
    assert_eq!(plane.delete(plane.test.operator, &path).await.status, 204);
    assert_eq!(plane.get(plane.test.operator, &path).await.status, 404);
}

fn flexible(expression: &str, version: i32) -> Value {
    let expression = json!({ "value": expression, "languageVersion": version });
    json!({ "properties": { "issuer": GITHUB, "audiences": [AUDIENCE], "claimsMatchingExpression": expression } })
}

#[tokio::test]
async fn an_expression_takes_the_place_of_a_subject_and_back() {
    let plane = Plane::new().await;
    let (scope, _) = plane.identity("federated").await;
    let path = format!("{scope}/federatedIdentityCredentials/github");
    let wish =
        flexible("claims['sub'] matches 'repo:o/r:ref:refs/heads/*' and claims['job_workflow_ref'] eq 'o/ci/w.yml@refs/heads/main'", 1);
    let made = plane.put(plane.test.operator, &path, wish.clone()).await.expect(201);
    assert_eq!(made["properties"], wish["properties"], "as it was written");
    assert_eq!(plane.get(plane.test.operator, &path).await.expect(200)["properties"], wish["properties"]);
    let again = format!("{scope}/federatedIdentityCredentials/again");
    assert_eq!(plane.put(plane.test.operator, &again, wish).await.error(), (409, "Conflict"));
    let exact = plane.put(plane.test.operator, &path, credential(GITHUB, "repo:o/r:environment:prod", &[AUDIENCE])).await.expect(200);
    assert_eq!(exact["properties"].get("claimsMatchingExpression"), None);
    assert_eq!(plane.delete(plane.test.operator, &path).await.status, 200);
}

#[tokio::test]
async fn a_refused_expression_says_what_is_wrong_with_it() {
    let plane = Plane::new().await;
    let (scope, _) = plane.identity("federated").await;
    let path = format!("{scope}/federatedIdentityCredentials/github");
    let answer = plane.put(plane.test.operator, &path, flexible("claims['sub'] matches 'repo:*'", 1)).await;
    let body = answer.expect(400);
    assert_eq!(body["error"]["target"], "claimsMatchingExpression");
    assert_eq!(
        body["error"]["message"],
        "The property 'claimsMatchingExpression' of the federated identity credential is invalid: the expression does not tie `sub` to \
         one owner; use `eq`, or a pattern whose fixed beginning names the owner, such as 'repo:my-org/*'."
    );
}

#[tokio::test]
async fn trust_that_could_match_everything_or_anything_is_refused_n64_n67() {
    let plane = Plane::new().await;
    let (scope, _) = plane.identity("federated").await;
    let path = format!("{scope}/federatedIdentityCredentials/bad");
    let long = "x".repeat(601);
    for body in [
        credential(GITHUB, "*", &[AUDIENCE]),
        credential(GITHUB, "repo:o/*", &[AUDIENCE]),
        credential(GITHUB, "", &[AUDIENCE]),
        credential(GITHUB, &long, &[AUDIENCE]),
        credential(GITHUB, " s", &[AUDIENCE]),
        credential(GITHUB, "s", &[]),
        credential(GITHUB, "s", &[AUDIENCE, "another"]),
        credential("http://issuer.example.com", "s", &[AUDIENCE]),
        credential("https://127.0.0.1", "s", &[AUDIENCE]),
        flexible("claims['sub'] matches '*'", 1),
        flexible("claims['sub'] matches '?*'", 1),
        flexible("claims['sub'] matches 'repo:*'", 1),
        flexible("claims['ref'] eq 'refs/heads/main'", 1),
        flexible("claims['sub'] like 'repo:o/r'", 1),
        flexible("", 1),
        flexible("claims['sub'] eq 'repo:o/r:ref:x'", 2),
        json!({ "properties": { "issuer": GITHUB, "audiences": [AUDIENCE], "claimsMatchingExpression": {} } }),
        json!({ "properties": {
            "issuer": GITHUB,
            "audiences": [AUDIENCE],
            "subject": "repo:o/r:ref:x",
            "claimsMatchingExpression": { "value": "claims['sub'] eq 'repo:o/r:ref:x'", "languageVersion": 1 },
        } }),
        json!({ "properties": {} }),
    ] {
        let answer = plane.put(plane.test.operator, &path, body.clone()).await;
        assert_eq!(answer.error(), (400, "BadRequest"), "{body}");
    }
    let named = format!("{scope}/federatedIdentityCredentials/a.b");
    assert_eq!(plane.put(plane.test.operator, &named, credential(GITHUB, "s", &[AUDIENCE])).await.status, 400);
}

#[tokio::test]
async fn the_twenty_first_credential_is_refused_n63() {
    let plane = Plane::new().await;
    let (scope, _) = plane.identity("federated").await;
    for number in 0..20 {
        let path = format!("{scope}/federatedIdentityCredentials/trust-{number}");
        plane.put(plane.test.operator, &path, credential(GITHUB, &format!("s{number}"), &[AUDIENCE])).await.expect(201);
    }
    let path = format!("{scope}/federatedIdentityCredentials/one-more");
    let refused = plane.put(plane.test.operator, &path, credential(GITHUB, "more", &[AUDIENCE])).await;
    assert_eq!(refused.error(), (400, "FederatedIdentityCredentialQuotaExceeded"));
    let path = format!("{scope}/federatedIdentityCredentials/trust-0");
    plane.put(plane.test.operator, &path, credential(GITHUB, "changed", &[AUDIENCE])).await.expect(200);
    let twice = plane.put(plane.test.operator, &path, credential(GITHUB, "s1", &[AUDIENCE])).await;
    assert_eq!(twice.error(), (409, "Conflict"));
}

#[tokio::test]
async fn credentials_made_at_the_same_time_are_all_there_n63() {
    let plane = Plane::new().await;
    let (scope, _) = plane.identity("federated").await;
    let put = |number: u32| {
        let (plane, path) = (&plane, format!("{scope}/federatedIdentityCredentials/trust-{number}"));
        async move { plane.put(plane.test.operator, &path, credential(GITHUB, &format!("s{number}"), &[AUDIENCE])).await.status }
    };
    let made = tokio::join!(put(0), put(1), put(2), put(3), put(4), put(5), put(6), put(7));
    assert_eq!(<[_; 8]>::from(made), [201; 8]);
    let list = plane.get(plane.test.operator, &format!("{scope}/federatedIdentityCredentials")).await.expect(200);
    assert_eq!(list["value"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn another_tenants_identity_and_its_credentials_do_not_exist_n127() {
    let plane = Plane::new().await;
    let test = &plane.test;
    test.assign(builtin::OWNER, test.foreign_app.object_id, &keyless_model::Scope::root()).await;
    let identity = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/demo-app", test.group);
    let fic = format!("{identity}/federatedIdentityCredentials/github");
    let token = test.token_with(test.foreign_app, crate::support::ARM, keyless_testkit::OTHER_TENANT, 3600);
    for (method, path) in [("GET", &identity), ("PUT", &identity), ("DELETE", &identity), ("GET", &fic), ("PUT", &fic), ("DELETE", &fic)] {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{path}?{}", crate::support::VERSION))
            .header("authorization", format!("Bearer {token}"))
            .body(axum::body::Body::from(credential(GITHUB, "s", &[AUDIENCE]).to_string()))
            .unwrap();
        assert_eq!(plane.send(request).await.error(), (404, "SubscriptionNotFound"), "{method} {path}");
    }
    assert!(test.snapshot().user_assigned(&identity.parse().unwrap()).is_some());
}
