//! `grant_type=client_credentials` with a secret.

use keyless_audit::{ActorRecord, Category, Outcome};
use keyless_model::entity::{Application, Principal};
use keyless_testkit::{APP_SECRET, TENANT};
use serde_json::json;

use super::harness::{Answer, Harness};

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

fn path() -> String {
    format!("/{TENANT}/oauth2/v2.0/token")
}

async fn ask(harness: &Harness, changes: &[(&str, &str)]) -> Answer {
    let client_id = harness.fixture.app.client_id.to_string();
    let mut fields =
        vec![("grant_type", "client_credentials"), ("client_id", client_id.as_str()), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| *value != "<absent>");
    harness.post(&path(), &fields).await
}

async fn application(harness: &Harness) -> Application {
    Application::clone(harness.fixture.snapshot().application_of(harness.fixture.app.client_id).unwrap())
}

#[tokio::test]
async fn the_right_secret_gets_a_v1_token_that_the_planes_accept() {
    let harness = Harness::new().await;
    let claims_parameter = r#"{"access_token": {"xms_cc": {"values": ["CP1"]}}}"#;
    let answer = ask(&harness, &[("claims", claims_parameter), ("client_info", "1")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!((answer.headers["cache-control"].as_bytes(), answer.headers["pragma"].as_bytes()), (&b"no-store"[..], &b"no-cache"[..]));
    assert_eq!(answer.body["token_type"], "Bearer");
    let lifetime = answer.body["expires_in"].as_i64().unwrap();
    assert!((3600..=3900).contains(&lifetime), "{lifetime}");
    let claims = answer.claims("access_token");
    let app = harness.fixture.app;
    assert_eq!(claims["aud"], "https://cognitiveservices.azure.com");
    assert_eq!(claims["iss"], format!("https://localhost:8443/{TENANT}/"));
    assert_eq!((&claims["ver"], &claims["idtyp"], &claims["appidacr"]), (&json!("1.0"), &json!("app"), &json!("1")));
    assert_eq!((&claims["appid"], &claims["oid"]), (&json!(app.client_id), &json!(app.object_id)));
    assert_eq!((&claims["sub"], &claims["tid"], &claims["xms_cc"]), (&json!(app.object_id), &json!(TENANT), &json!(["CP1"])));

    let gateway = keyless_web::Authenticator::new(harness.fixture.platform.clone(), keyless_web::Audiences::gateway());
    let now = harness.fixture.platform.clock.now();
    let token = answer.body["access_token"].as_str().unwrap();
    let caller = gateway.authenticate_token(&harness.fixture.snapshot(), token, now).unwrap();
    assert_eq!(caller.principal.id, app.object_id);

    let event = harness.fixture.audit.last();
    assert_eq!((event.category, event.outcome, event.status), (Category::Token, Outcome::Allowed, Some(200)));
    let actor = ActorRecord::Principal { object_id: app.object_id, tenant: TENANT, client_id: Some(app.client_id) };
    assert_eq!(event.actor, actor);
    let detail = event.token.unwrap();
    assert_eq!((&*detail.grant, &*detail.credential), ("client_credentials", "secret"));
    assert_eq!(detail.token_id.as_deref(), claims["uti"].as_str());
    assert_eq!(event.source, Some([192, 0, 2, 1].into()));
}

#[tokio::test]
async fn the_trailing_slash_of_the_resource_is_kept_in_the_audience() {
    let harness = Harness::new().await;
    for (scope, audience) in [
        ("https://localhost:8443//.default", "https://localhost:8443/"),
        ("https://localhost:8443/.default", "https://localhost:8443"),
        ("https://management.azure.com//.default", "https://management.azure.com/"),
        ("https://management.core.windows.net//.default", "https://management.core.windows.net/"),
        ("https://graph.microsoft.com/.default", "https://graph.microsoft.com"),
        ("https://ai.azure.com/.default", "https://ai.azure.com"),
    ] {
        let claims = ask(&harness, &[("scope", scope)]).await.claims("access_token");
        assert_eq!((&claims["aud"], &claims["ver"]), (&json!(audience), &json!("1.0")), "{scope}");
    }
}

#[tokio::test]
async fn applications_are_audiences_by_client_id_and_identifier_uri_with_v2_tokens() {
    let harness = Harness::new().await;
    let mut app = application(&harness).await;
    app.identifier_uris = vec!["api://orders".into()];
    harness.fixture.put(app.clone()).await;
    for name in ["api://orders".to_owned(), app.client_id.to_string()] {
        let claims = ask(&harness, &[("scope", &format!("{name}/.default"))]).await.claims("access_token");
        assert_eq!((&claims["aud"], &claims["ver"]), (&json!(app.client_id), &json!("2.0")));
        assert_eq!(claims["iss"], format!("https://localhost:8443/{TENANT}/v2.0"));
        assert_eq!(claims["azp"], json!(app.client_id));
    }
    let foreign = harness.fixture.foreign_app.client_id;
    assert_eq!(ask(&harness, &[("scope", &format!("{foreign}/.default"))]).await.code(), 500_011, "another tenant's application");
}

#[tokio::test]
async fn the_tenant_may_be_named_by_its_domain_and_by_nothing_else_n68() {
    let harness = Harness::new().await;
    let client_id = harness.fixture.app.client_id.to_string();
    let fields = [("grant_type", "client_credentials"), ("client_id", client_id.as_str()), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    assert_eq!(harness.post("/KEYLESS.test/oauth2/v2.0/token", &fields).await.status, 200);
    for (tenant, code) in [
        ("nope", 90_002),
        ("00000000-0000-0000-0000-000000000001", 90_002),
        ("consumers", 90_002),
        ("common", 50_059),
        ("organizations", 50_059),
    ] {
        let answer = harness.post(&format!("/{tenant}/oauth2/v2.0/token"), &fields).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (code, 400, "invalid_request"), "{tenant}");
    }
}

#[tokio::test]
async fn an_unknown_client_is_told_apart_by_its_code_only_n69() {
    let harness = Harness::new().await;
    for unknown in ["00000000-0000-0000-0000-00000000ffff", "not-a-guid", &harness.fixture.foreign_app.client_id.to_string()] {
        let answer = ask(&harness, &[("client_id", unknown)]).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (700_016, 400, "unauthorized_client"));
    }
    // No secret ever opens an identity: it has none.
    let identity = harness.fixture.demo_app.client_id.to_string();
    assert_eq!(ask(&harness, &[("client_id", &identity)]).await.code(), 7_000_215);
    let system_assigned = harness.fixture.host_identity.client_id.to_string();
    assert_eq!(ask(&harness, &[("client_id", &system_assigned)]).await.code(), 700_016);
}

#[tokio::test]
async fn an_unknown_client_costs_a_hash_and_a_comparison_at_each_grant_of_programs_n69() {
    let harness = Harness::new().await;
    let known = harness.fixture.app.client_id.to_string();
    for grant in ["client_credentials", keyless_wire::oauth::GRANT_JWT_BEARER] {
        for (client_id, code) in [(known.as_str(), 7_000_215), ("00000000-0000-0000-0000-00000000ffff", 700_016), ("not-a-guid", 700_016)] {
            let before = crate::client::SECRET_WORK.with(std::cell::Cell::get);
            let fields = [
                ("grant_type", grant),
                ("client_id", client_id),
                ("client_secret", "wrong"),
                ("assertion", "x"),
                ("requested_token_use", "on_behalf_of"),
                ("scope", SCOPE),
            ];
            let answer = harness.post("/KEYLESS.test/oauth2/v2.0/token", &fields).await;
            assert_eq!(answer.code(), code, "{grant} {client_id}: {}", answer.text);
            let after = crate::client::SECRET_WORK.with(std::cell::Cell::get);
            assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{grant} {client_id}");
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_whatever_it_shares_with_the_right_one_n70_n71() {
    let harness = Harness::new().await;
    let long = format!("{APP_SECRET}{}", "x".repeat(60));
    let mut app = application(&harness).await;
    app.secrets[0].hash = harness.fixture.platform.sealer.secret_hash(&long);
    harness.fixture.put(app).await;
    assert_eq!(ask(&harness, &[("client_secret", &long)]).await.status, 200);
    for wrong in [&long[..72], &long[1..], APP_SECRET, "completely-different", &format!("{long}x"), &long.to_uppercase()] {
        let answer = ask(&harness, &[("client_secret", wrong)]).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (7_000_215, 401, "invalid_client"), "{wrong}");
        let event = harness.fixture.audit.last();
        assert_eq!((event.category, event.outcome, event.status), (Category::Token, Outcome::Denied, Some(401)));
        assert_eq!(event.token.unwrap().error.as_deref(), Some("AADSTS7000215"));
    }
}

#[tokio::test]
async fn an_expired_or_removed_secret_is_refused_n72() {
    let harness = Harness::new().await;
    harness.fixture.clock.advance_secs(90 * 86_400);
    let answer = ask(&harness, &[]).await;
    assert_eq!((answer.code(), answer.status.as_u16()), (7_000_222, 401));
    harness.fixture.clock.advance_secs(-91 * 86_400);
    assert_eq!(ask(&harness, &[]).await.code(), 7_000_215, "not yet in force");
    harness.fixture.clock.advance_secs(86_400);
    assert_eq!(ask(&harness, &[]).await.status, 200);
    let mut app = application(&harness).await;
    app.secrets.clear();
    harness.fixture.put(app).await;
    assert_eq!(ask(&harness, &[]).await.code(), 7_000_215);
}

#[tokio::test]
async fn ten_thousand_wrong_secrets_a_minute_end_in_429_for_that_client_only_n73() {
    let harness = Harness::new().await;
    let mut other = application(&harness).await;
    let mut refused = 0;
    for n in 0..1_000 {
        harness.fixture.clock.advance_millis(6);
        let answer = ask(&harness, &[("client_secret", &format!("wrong-secret-{n}"))]).await;
        if answer.status == 429 {
            refused += 1;
            assert_eq!((answer.code(), answer.error()), (90_055, "temporarily_unavailable"));
            assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() <= 60);
        }
        // The audit grows with every attempt; keep the search for secrets quick.
        let _ = harness.fixture.audit.take();
    }
    assert!(refused > 900, "{refused}");
    assert_eq!(ask(&harness, &[]).await.status, 200, "nobody locks a client out by knowing its id");
    other.id = keyless_model::ObjectId::from_u128(0xf2);
    other.client_id = keyless_model::ClientId::from_u128(0xf1);
    let mut principal = Principal::clone(harness.fixture.snapshot().principal(harness.fixture.app.object_id).unwrap());
    principal.id = keyless_model::ObjectId::from_u128(0xf0);
    principal.client_id = Some(other.client_id);
    harness.fixture.put(principal).await;
    harness.fixture.put(other.clone()).await;
    let answer = ask(&harness, &[("client_id", &other.client_id.to_string()), ("client_secret", "wrong-secret")]).await;
    assert_eq!(answer.code(), 7_000_215, "another client is not told to wait");
}

#[tokio::test]
async fn a_disabled_or_deleted_principal_gets_no_token() {
    let harness = Harness::new().await;
    let mut principal = Principal::clone(harness.fixture.snapshot().principal(harness.fixture.app.object_id).unwrap());
    principal.enabled = false;
    harness.fixture.put(principal.clone()).await;
    let answer = ask(&harness, &[]).await;
    assert_eq!((answer.code(), answer.error()), (7_000_112, "unauthorized_client"));
    harness.fixture.delete(principal).await;
    assert_eq!(ask(&harness, &[]).await.code(), 700_016);
}

#[tokio::test]
async fn scopes_that_are_not_one_known_resource_are_refused_n75() {
    let harness = Harness::new().await;
    for (scope, code, error) in [
        ("https://cognitiveservices.azure.com", 1_002_012, "invalid_scope"),
        ("https://cognitiveservices.azure.com/user_impersonation", 1_002_012, "invalid_scope"),
        ("https://ai.azure.com/.default https://graph.microsoft.com/.default", 28_000, "invalid_scope"),
        ("https://unknown.example/.default", 500_011, "invalid_resource"),
        ("https://cognitiveservices.azure.com.evil.example/.default", 500_011, "invalid_resource"),
        ("https://COGNITIVESERVICES.azure.com/.default", 500_011, "invalid_resource"),
        ("https://cognitiveservices.azure.com///.default", 500_011, "invalid_resource"),
        ("https://cognitiveservices.azure.com#x/.default", 500_011, "invalid_resource"),
        ("<absent>", 900_144, "invalid_request"),
        ("", 900_144, "invalid_request"),
    ] {
        let answer = ask(&harness, &[("scope", scope)]).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (code, 400, error), "{scope}");
    }
}

#[tokio::test]
async fn the_v1_endpoint_takes_a_resource_and_answers_in_strings() {
    let harness = Harness::new().await;
    let client_id = harness.fixture.app.client_id.to_string();
    let path = format!("/{TENANT}/oauth2/token");
    let fields = |resource| {
        [("grant_type", "client_credentials"), ("client_id", client_id.as_str()), ("client_secret", APP_SECRET), ("resource", resource)]
    };
    let answer = harness.post(&path, &fields("https://management.azure.com/")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["resource"], "https://management.azure.com/");
    let expires_on: i64 = answer.body["expires_on"].as_str().unwrap().parse().unwrap();
    assert_eq!(answer.claims("access_token")["exp"].as_i64(), Some(expires_on));
    assert!(answer.body["expires_in"].is_string() && answer.body["not_before"].is_string());
    assert_eq!(harness.post(&path, &fields("https://unknown.example")).await.code(), 500_011);
    assert_eq!(harness.post(&path, &fields("")).await.code(), 900_144);
}

#[tokio::test]
async fn a_program_is_known_in_its_own_tenant_only() {
    let harness = Harness::new().await;
    let foreign = harness.fixture.foreign_app.client_id.to_string();
    let path = format!("/{}/oauth2/v2.0/token", keyless_testkit::OTHER_TENANT);
    let fields = [("grant_type", "client_credentials"), ("client_id", foreign.as_str()), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    let claims = harness.post(&path, &fields).await.claims("access_token");
    assert_eq!(claims["tid"], json!(keyless_testkit::OTHER_TENANT));
    assert_eq!(claims["iss"], format!("https://localhost:8443/{}/", keyless_testkit::OTHER_TENANT));
    // The same program has no identity in the first tenant, whatever it sends.
    assert_eq!(ask(&harness, &[("client_id", &foreign)]).await.code(), 700_016);
}
