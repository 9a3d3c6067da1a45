//! The Graph subset as `az ad` uses it.

use keyless_control::Config;
use keyless_model::Clock as _;
use keyless_rbac::builtin;
use serde_json::{Value, json};

use crate::support::Plane;

#[tokio::test]
async fn the_look_ups_of_az_role_assignment_create_work() {
    let plane = Plane::new().await;
    let (operator, app) = (plane.test.operator, plane.test.demo_app);
    let by_spn = |id: &dyn std::fmt::Display| format!("/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{id}')");
    assert_eq!(plane.get(operator, &by_spn(&app.object_id)).await.expect(200)["value"], json!([]), "an object id is no name");
    let found = plane.get(operator, &by_spn(&app.client_id)).await.expect(200);
    assert_eq!(found["value"][0]["id"], json!(app.object_id));
    let ids = json!({ "ids": [app.object_id, "99999999-9999-9999-9999-999999999999"], "types": ["user", "group", "servicePrincipal", "directoryObjectPartnerReference"] });
    let found = plane.post(operator, "/v1.0/directoryObjects/getByIds", ids).await.expect(200);
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    let row = &found["value"][0];
    assert_eq!(row["@odata.type"], "#microsoft.graph.servicePrincipal");
    assert_eq!((&row["servicePrincipalType"], &row["servicePrincipalNames"]), (&json!("ManagedIdentity"), &json!([app.client_id])));
    assert!(row["passwordCredentials"].is_array() && row["keyCredentials"].is_array());
}

#[tokio::test]
async fn a_subscription_reader_reads_and_an_outsider_does_not() {
    let plane = Plane::new().await;
    let reader = plane.holder("reader", builtin::READER, &plane.subscription()).await;
    let local = plane.holder("group-owner", builtin::OWNER, &plane.test.group).await;
    for (who, status) in [(reader, 200), (local, 403), (plane.test.demo_app, 403), (plane.test.app, 403)] {
        let answer = plane.get(who, "/v1.0/users").await;
        assert_eq!(answer.status, status);
        if status == 403 {
            assert_eq!(answer.error().1, "Authorization_RequestDenied");
            assert!(answer.body["error"]["innerError"]["request-id"].is_string());
        }
    }
    assert_eq!(plane.post(reader, "/v1.0/groups", json!({ "displayName": "g", "mailNickname": "g" })).await.status, 403);
}

#[tokio::test]
async fn an_application_gets_a_secret_once_and_loses_it_at_once() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let made = plane.post(operator, "/v1.0/applications", json!({ "displayName": "my-app", "keyCredentials": [] })).await;
    let made = made.expect(201);
    let forged = json!({ "displayName": "forged", "appId": operator.client_id });
    assert_eq!(plane.post(operator, "/v1.0/applications", forged).await.status, 400, "ids are not the client's to choose (128)");
    let path = format!("/v1.0/applications/{}", made["id"].as_str().unwrap());
    let wished = json!({ "passwordCredential": { "displayName": "x", "startDateTime": "2026-11-21T00:00:00Z", "endDateTime": "2027-11-21T00:00:00Z" } });
    let secret = plane.post(operator, &format!("{path}/addPassword"), wished).await.expect(200);
    let text = secret["secretText"].as_str().unwrap();
    let shown = plane.get(operator, &path).await.expect(200);
    assert_eq!(shown["passwordCredentials"][0]["keyId"], secret["keyId"]);
    assert_eq!(shown["passwordCredentials"][0]["secretText"], Value::Null);
    let kept = plane.test.snapshot().application(made["id"].as_str().unwrap().parse().unwrap()).unwrap().secrets[0].clone();
    assert!(plane.test.platform.sealer.secret_matches(text, &kept.hash));
    let recorded = serde_json::to_string(&plane.test.audit.events()).unwrap();
    assert!(!recorded.contains(text) && !recorded.contains(&kept.hash), "neither the secret nor its hash is in the audit");
    let gone = plane.post(operator, &format!("{path}/removePassword"), json!({ "keyId": secret["keyId"] })).await;
    assert_eq!(gone.status, 204);
    assert!(plane.test.snapshot().application(made["id"].as_str().unwrap().parse().unwrap()).unwrap().secrets.is_empty());
    assert_eq!(plane.post(operator, &format!("{path}/removePassword"), json!({ "keyId": secret["keyId"] })).await.status, 400);
    let past = json!({ "passwordCredential": { "endDateTime": "2020-01-01T00:00:00Z" } });
    assert_eq!(plane.post(operator, &format!("{path}/addPassword"), past).await.error(), (400, "Request_BadRequest"));
    let forever = json!({ "passwordCredential": { "endDateTime": "2099-01-01T00:00:00Z" } });
    assert_eq!(plane.post(operator, &format!("{path}/addPassword"), forever).await.status, 400);
}

#[tokio::test]
async fn create_for_rbac_makes_an_application_that_signs_in_until_it_is_deleted() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    assert_eq!(plane.get(operator, "/v1.0/servicePrincipals?$filter=displayName eq 'rbac-app'").await.expect(200)["value"], json!([]));
    assert_eq!(plane.get(operator, "/v1.0/applications?$filter=startswith(displayName,'rbac-app')").await.expect(200)["value"], json!([]));
    let app = plane.post(operator, "/v1.0/applications", json!({ "displayName": "rbac-app" })).await.expect(201);
    let sp = plane.post(operator, "/v1.0/servicePrincipals", json!({ "appId": app["appId"], "accountEnabled": true })).await.expect(201);
    let twice = plane.post(operator, "/v1.0/servicePrincipals", json!({ "appId": app["appId"], "accountEnabled": true })).await;
    assert_eq!(twice.error(), (409, "Request_MultipleObjectsWithSameKeyValue"));
    let who = keyless_testkit::Who {
        object_id: sp["id"].as_str().unwrap().parse().unwrap(),
        client_id: app["appId"].as_str().unwrap().parse().unwrap(),
    };
    plane.assign(operator, &plane.test.group, builtin::CONTRIBUTOR, who).await.expect(201);
    assert_eq!(plane.get(who, plane.test.group.as_str()).await.status, 200);
    let path = format!("/v1.0/servicePrincipals/{}", who.object_id);
    assert_eq!(plane.ask(operator, "PATCH", &path, json!({ "accountEnabled": false })).await.status, 204);
    assert_eq!(plane.get(who, plane.test.group.as_str()).await.status, 401, "disabled: its tokens stop at once");
    assert_eq!(plane.ask(operator, "PATCH", &path, json!({ "accountEnabled": true })).await.status, 204);
    assert_eq!(plane.delete(operator, &format!("/v1.0/applications/{}", app["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(plane.get(who, plane.test.group.as_str()).await.status, 401, "deleted with its application");
    assert_eq!(plane.post(operator, "/v1.0/servicePrincipals", json!({ "appId": app["appId"] })).await.status, 400);
    let managed = format!("/v1.0/servicePrincipals/{}", plane.test.demo_app.object_id);
    assert_eq!(plane.delete(operator, &managed).await.error(), (400, "Request_BadRequest"));
}

#[tokio::test]
async fn an_applications_federated_credentials_follow_the_same_rules() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let app = plane.post(operator, "/v1.0/applications", json!({ "displayName": "ci" })).await.expect(201);
    let base = format!("/v1.0/applications/{}/federatedIdentityCredentials", app["id"].as_str().unwrap());
    let wish = json!({ "name": "github", "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:o/r:environment:prod", "audiences": ["api://AzureADTokenExchange"], "description": "d" });
    let made = plane.post(operator, &base, wish.clone()).await.expect(201);
    assert_eq!((&made["subject"], &made["audiences"]), (&wish["subject"], &wish["audiences"]));
    assert_eq!(plane.post(operator, &base, wish).await.error(), (409, "Request_MultipleObjectsWithSameKeyValue"));
    assert_eq!(plane.get(operator, &format!("{base}/github")).await.expect(200), made);
    assert_eq!(plane.get(operator, &format!("{base}/{}", made["id"].as_str().unwrap())).await.expect(200), made);
    assert_eq!(plane.ask(operator, "PATCH", &format!("{base}/github"), json!({ "subject": "repo:o/r:ref:x" })).await.status, 204);
    assert_eq!(plane.get(operator, &base).await.expect(200)["value"][0]["subject"], "repo:o/r:ref:x");
    assert_eq!(plane.ask(operator, "PATCH", &format!("{base}/github"), json!({ "issuer": "https://localhost" })).await.status, 400);
    let expression = |value: &str| json!({ "value": value, "languageVersion": 1 });
    let flexible = expression("claims['sub'] matches 'repo:o/r:ref:refs/heads/*'");
    let beta = base.replace("/v1.0/", "/beta/");
    let change = json!({ "subject": null, "claimsMatchingExpression": flexible });
    assert_eq!(plane.ask(operator, "PATCH", &format!("{beta}/github"), change).await.status, 204);
    let shown = plane.get(operator, &format!("{beta}/github")).await.expect(200);
    assert_eq!((&shown["subject"], &shown["claimsMatchingExpression"]), (&Value::Null, &flexible));
    assert_eq!(plane.ask(operator, "PATCH", &format!("{base}/github"), json!({ "description": "still" })).await.status, 204);
    let refused = json!({ "claimsMatchingExpression": expression("claims['sub'] matches '*'") });
    assert_eq!(plane.ask(operator, "PATCH", &format!("{base}/github"), refused).await.status, 400);
    assert_eq!(plane.get(operator, &format!("{base}/github")).await.expect(200)["claimsMatchingExpression"], flexible);
    assert_eq!(plane.ask(operator, "PATCH", &format!("{base}/github"), json!({ "subject": "repo:o/r:ref:x" })).await.status, 204);
    assert_eq!(plane.get(operator, &format!("{base}/github")).await.expect(200).get("claimsMatchingExpression"), None);
    let es256 = json!({ "signingAlgorithms": ["ES256"] });
    assert_eq!(plane.ask(operator, "PATCH", &format!("{base}/github"), es256).await.status, 204);
    assert_eq!(plane.ask(operator, "PATCH", &format!("{base}/github"), json!({ "description": "still" })).await.status, 204);
    assert_eq!(plane.get(operator, &format!("{base}/github")).await.expect(200)["signingAlgorithms"], json!(["ES256"]));
    for wrong in [json!([]), json!(["HS256"]), json!(["none"]), json!("ES256")] {
        let answer = plane.ask(operator, "PATCH", &format!("{base}/github"), json!({ "signingAlgorithms": wrong })).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
    assert_eq!(plane.delete(operator, &format!("{base}/github")).await.status, 204);
    assert_eq!(plane.get(operator, &format!("{base}/github")).await.status, 404);
}

#[tokio::test]
async fn a_group_gives_its_members_what_it_holds() {
    let plane = Plane::new().await;
    let (operator, app) = (plane.test.operator, plane.test.app);
    let group = |name: &str| json!({ "displayName": name, "mailNickname": name, "mailEnabled": false, "securityEnabled": true });
    let outer = plane.post(operator, "/v1.0/groups", group("outer")).await.expect(201);
    let inner = plane.post(operator, "/v1.0/groups", group("inner")).await.expect(201);
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    let member = |of: &Value| format!("/v1.0/groups/{}/members/$ref", id(of));
    let reference = |id: &str| json!({ "@odata.id": format!("https://localhost:8443/v1.0/directoryObjects/{id}") });
    assert_eq!(plane.post(operator, &member(&inner), reference(&app.object_id.to_string())).await.status, 204);
    assert_eq!(plane.post(operator, &member(&outer), reference(&id(&inner))).await.status, 204);
    assert_eq!(plane.post(operator, &member(&outer), reference(&id(&outer))).await.status, 400);
    assert_eq!(plane.post(operator, &member(&outer), reference("99999999-9999-9999-9999-999999999999")).await.status, 404);
    let scope = plane.test.account.clone();
    let body = json!({ "properties": { "roleDefinitionId": scope.role_definition_id(builtin::READER), "principalId": id(&outer), "principalType": "Group" } });
    plane.put(operator, &crate::support::assignment_path(&scope, "0f409a94-be60-4d1e-ba0a-48c48aa92a71"), body).await.expect(201);
    assert_eq!(plane.get(app, scope.as_str()).await.status, 200, "through two groups");
    let held = plane
        .post(operator, &format!("/v1.0/directoryObjects/{}/checkMemberGroups", app.object_id), json!({ "groupIds": [id(&outer)] }))
        .await;
    assert_eq!(held.expect(200)["value"], json!([id(&outer)]));
    let listed = plane
        .get(operator, &format!("{}/providers/Microsoft.Authorization/roleAssignments?$filter=assignedTo('{}')", scope, app.object_id))
        .await;
    assert_eq!(listed.expect(200)["value"].as_array().unwrap().len(), 1);
    assert_eq!(
        plane.get(operator, &format!("/v1.0/groups/{}/members", id(&inner))).await.expect(200)["value"][0]["id"],
        json!(app.object_id)
    );
    let leave = format!("/v1.0/groups/{}/members/{}/$ref", id(&inner), app.object_id);
    assert_eq!(plane.delete(operator, &leave).await.status, 204);
    assert_eq!(plane.get(app, scope.as_str()).await.status, 403);
    assert_eq!(plane.delete(operator, &leave).await.status, 404);
    assert_eq!(plane.delete(operator, &format!("/v1.0/groups/{}", id(&inner))).await.status, 204);
    let found = plane.get(operator, "/v1.0/groups?$filter=displayName eq 'outer' and mailNickname eq 'outer'").await.expect(200);
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn users_are_made_in_the_tenants_own_domain_and_without_a_password_nobody_keeps() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let body = |upn: &str| json!({ "userPrincipalName": upn, "displayName": "Bob", "mailNickname": "bob", "accountEnabled": true });
    let made = plane.post(operator, "/v1.0/users", body("bob@keyless.test")).await.expect(201);
    assert_eq!(plane.get(operator, "/v1.0/users/BOB@keyless.test").await.expect(200)["id"], made["id"]);
    assert_eq!(
        plane.get(operator, "/v1.0/users?$filter=userPrincipalName eq 'bob@keyless.test'").await.expect(200)["value"][0]["id"],
        made["id"]
    );
    assert_eq!(plane.post(operator, "/v1.0/users", body("bob@keyless.test")).await.status, 400, "a name is taken once");
    for upn in ["bob@other.test", "bob", "@keyless.test", "a b@keyless.test"] {
        assert_eq!(plane.post(operator, "/v1.0/users", body(upn)).await.status, 400, "{upn}");
    }
    let mut with_password = body("carol@keyless.test");
    with_password["passwordProfile"] = json!({ "password": "P@ssw0rd!", "forceChangePasswordNextSignIn": false });
    let refused = plane.post(operator, "/v1.0/users", with_password).await;
    assert_eq!(refused.error(), (400, "Request_BadRequest"));
    assert!(!refused.message().contains("P@ssw0rd!"));
    assert_eq!(plane.ask(operator, "PATCH", "/v1.0/users/bob@keyless.test", json!({ "accountEnabled": false })).await.status, 204);
    assert_eq!(plane.ask(operator, "PATCH", "/v1.0/users/bob@keyless.test", json!({ "mail": "x" })).await.status, 400);
    let id: keyless_model::ObjectId = made["id"].as_str().unwrap().parse().unwrap();
    let signed_out = plane.post(operator, "/v1.0/users/bob@keyless.test/revokeSignInSessions", json!({})).await.expect(200);
    assert_eq!(signed_out["value"], true);
    assert_eq!(plane.test.snapshot().principal(id).unwrap().tokens_valid_from, Some(plane.test.clock.now()));
    let by_nobody = plane.post(plane.test.demo_app, "/v1.0/users/bob@keyless.test/revokeSignInSessions", json!({})).await;
    assert_eq!(by_nobody.error(), (403, "Authorization_RequestDenied"));
    assert_eq!(plane.delete(operator, "/v1.0/users/bob@keyless.test").await.status, 204);
    assert_eq!(plane.get(operator, "/v1.0/users/bob@keyless.test").await.error(), (404, "Request_ResourceNotFound"));
}

#[tokio::test]
async fn an_application_is_not_changed_by_what_is_not_understood() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let made = plane.post(operator, "/v1.0/applications", json!({ "displayName": "n" })).await.expect(201);
    let path = format!("/v1.0/applications/{}", made["id"].as_str().unwrap());
    assert_eq!(plane.ask(operator, "PATCH", &path, json!({ "displayName": "n2", "keyCredentials": [] })).await.status, 204);
    assert_eq!(plane.get(operator, &path).await.expect(200)["displayName"], "n2");
    assert_eq!(plane.ask(operator, "PATCH", &path, json!({ "keyCredentials": [{ "key": "x" }] })).await.status, 400);
    let with_key = json!({ "displayName": "m", "keyCredentials": [{ "key": "x" }] });
    assert_eq!(plane.post(operator, "/v1.0/applications", with_key).await.status, 400);
    assert_eq!(plane.get(operator, "/v1.0/me").await.error(), (400, "Request_BadRequest"));
}

#[tokio::test]
async fn each_kind_of_client_keeps_its_own_redirect_uris() {
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let body = json!({ "displayName": "app", "web": { "redirectUris": ["https://app.example/cb"] } });
    let made = plane.post(operator, "/v1.0/applications", body).await.expect(201);
    let path = format!("/v1.0/applications/{}", made["id"].as_str().unwrap());
    let patch = async |body: Value| plane.ask(operator, "PATCH", &path, body).await;
    patch(json!({ "publicClient": { "redirectUris": ["http://localhost"] } })).await.expect(204);
    patch(json!({ "spa": { "redirectUris": ["https://spa.example"] } })).await.expect(204);
    let shown = plane.get(operator, &path).await.expect(200);
    for (kind, uri) in [("web", "https://app.example/cb"), ("publicClient", "http://localhost"), ("spa", "https://spa.example")] {
        assert_eq!(shown[kind]["redirectUris"], json!([uri]), "{kind}");
    }
    assert_eq!(
        patch(json!({ "web": { "redirectUris": ["http://localhost"] } })).await.error(),
        (400, "Request_BadRequest"),
        "in two kinds"
    );
    patch(json!({ "publicClient": { "redirectUris": [] } })).await.expect(204);
    let shown = plane.get(operator, &path).await.expect(200);
    assert_eq!((&shown["publicClient"]["redirectUris"], &shown["web"]["redirectUris"]), (&json!([]), &json!(["https://app.example/cb"])));
    let row = plane.test.snapshot().application(made["id"].as_str().unwrap().parse().unwrap()).unwrap().clone();
    assert_eq!(row.redirect_uris, ["https://app.example/cb", "https://spa.example"], "where answers of a sign-in may go");
}

/// A self-signed certificate over an RSA key of 2048 bits, and one over 1024 bits; nobody has the private keys.
const SOUND: &str = concat!(
    "MIIDAzCCAeugAwIBAgIUT0pa6ebXuIs5sxUDZ2d2h9v/Ud0wDQYJKoZIhvcNAQELBQAwEDEOMAwGA1UEAwwFc291bmQwIBcNMjYxMTIxMTcwNTA4WhgPMjEy",
    "NjEwMjgxNzA1MDhaMBAxDjAMBgNVBAMMBXNvdW5kMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAoAZV/bZTzmf/E8/ZmLlsVE162ee2wk1HRx69",
    "YoGOt882ZpDVRh6Jc4eAYurJExDQkJAuw21nu/XRY/L6Paa02AsJ+yLpORdrDknwevVEqM11I+RKh/ArjoLoEsU+IVrXSvBkk9PT7KDA4ppeUk/YCy57s6ne",
    "E0G5GEyWVMzxFEQ3HyscGgSLhkvxuf8wgHk3efBZaneGgdHTaRSZiwq9Bz7do2ZyA0/dmBjpF8cJCeFGoC9yHDo+OplVt4nystkFkX/8GOquNsOMkQ6BvIE5",
    "xAYVDMGq2ZiWyzCH8KrV0HO5BtTjYjkwGPwoYuEVpNZHcfxkHa/VWu9eVRp0PbSm/QIDAQABo1MwUTAdBgNVHQ4EFgQUw/vxFLjQI5XrdS7SZSEpeoL1WuUw",
    "HwYDVR0jBBgwFoAUw/vxFLjQI5XrdS7SZSEpeoL1WuUwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAAIf/xLU7UKYqHAP9kDEEucuqBZ2/",
    "oA3BaTlcCcHuZiamJBKlqlmbFzdUTSQns1ovYTjiGn5IhED7z+BMwIlnpS4H7Mvb8XJyC/fQj2b/WCdPw0Dsx9xZcutcj2HSl6ZumNAcXxa9klEdmpTjEIFN",
    "qbVFjPmiiI67a1knAqocK3GI81dVcROIv/zIU81oE2iVNb5a0sVejxVgTVmKtuMZcmCoXw6b2D9nl6xA0l4Mh3epQA6vxo9PhoVhQUNMP/oLILfO/JKUHMpw",
    "KQCVFpmmglRgsx77cru84vMzIPnqEognik2/oHuoowhL1j74m/rkAb0RNbCtMgcCWq5Xo0Ddfg==",
);
const SHORT: &str = concat!(
    "MIIB/DCCAWWgAwIBAgIURmVH9N+7MHpVGRDF9k2zDF23FKkwDQYJKoZIhvcNAQELBQAwDzENMAsGA1UEAwwEd2VhazAgFw0yNjExMjExNzA1MDhaGA8yMTI2",
    "MTAyODE3MDUwOFowDzENMAsGA1UEAwwEd2VhazCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAuo8oazPGHkJYHHZifVoWl78wE8PGX1N5QG4LoLmi3tlH",
    "s/wulrWzRWgwHdLI5s0WLkKC3cnk9vN9UmEcs/ACUGprxqET9LG9gcXIylnZax41dpUaVWrgCwqgmSH6ltI6XOlWVhwSk5trYtbeisxZUHnFhTuVkhGzd2vM",
    "RwExaM0CAwEAAaNTMFEwHQYDVR0OBBYEFBZi6RREB+R2reEhRMk4NJ2cGlZpMB8GA1UdIwQYMBaAFBZi6RREB+R2reEhRMk4NJ2cGlZpMA8GA1UdEwEB/wQF",
    "MAMBAf8wDQYJKoZIhvcNAQELBQADgYEAhnrWK7EUPGbxlOXxlXFiu5RDeGYUGfKHRMOLEsL9VRIS5SLpgs6xK4WTGSNsOmwpnnr/FLtdPURtlS6KI1/yzcqX",
    "lmretV7pgJpw3h8PyCn8y4MJ6RLr5glLaacD8/oGTAbg5372Sgf81Ijb/SF/Mnev7eif0Kb8hjoFvVEoabo=",
);

#[tokio::test]
async fn a_certificate_with_a_weak_key_is_not_registered_n13() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let plane = Plane::new().await;
    let operator = plane.test.operator;
    let wish =
        |key: &str| json!({ "displayName": "n", "keyCredentials": [{ "type": "AsymmetricX509Cert", "usage": "Verify", "key": key }] });
    plane.post(operator, "/v1.0/applications", wish(SOUND)).await.expect(201);
    let mut even = STANDARD.decode(SOUND).unwrap();
    let exponent = even.windows(5).position(|bytes| bytes == [2, 3, 1, 0, 1]).unwrap();
    even[exponent + 4] = 0;
    for (weak, why) in [(SHORT.to_owned(), "1024 bits"), (STANDARD.encode(even), "an even exponent")] {
        let answer = plane.post(operator, "/v1.0/applications", wish(&weak)).await;
        assert_eq!(answer.error(), (400, "Request_BadRequest"), "{why}");
        assert!(answer.body["error"]["message"].as_str().unwrap().contains("certificate cannot be used"), "{why}: {}", answer.body);
    }
}

/// A token for such a name, which any workload gets, would open the application to all of them.
#[tokio::test]
async fn an_application_is_not_named_as_an_audience_of_federation() {
    let audience = "api://partner.example/exchange";
    let plane = Plane::with(Config { federation_audiences: vec![audience.to_owned()], ..Config::default() }).await;
    let operator = plane.test.operator;
    let named = |uri: &str| json!({ "displayName": "n", "identifierUris": [uri] });
    let app = plane.post(operator, "/v1.0/applications", named("api://partner.example/exchanges")).await.expect(201);
    let path = format!("/v1.0/applications/{}", app["id"].as_str().unwrap());
    for taken in [audience, "api://Partner.Example/EXCHANGE", "api://AzureADTokenExchange"] {
        let made = plane.post(operator, "/v1.0/applications", named(taken)).await;
        assert_eq!(made.error(), (400, "Request_BadRequest"), "made as {taken}");
        let renamed = plane.ask(operator, "PATCH", &path, json!({ "identifierUris": [taken] })).await;
        assert_eq!(renamed.error(), (400, "Request_BadRequest"), "renamed {taken}");
    }
    let shown = plane.get(operator, &path).await.expect(200);
    assert_eq!(shown["identifierUris"], json!(["api://partner.example/exchanges"]));
}
