//! A service calls another one in its caller's name; a web application with a secret of its own.

use keyless_model::entity::Application;
use keyless_testkit::{APP_SECRET, OTHER_TENANT};

use super::*;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const GATEWAY_SCOPE: &str = "https://cognitiveservices.azure.com/.default openid";

/// The fixture's application becomes an API that people's programs call.
async fn api(harness: &Harness) -> Application {
    let mut app = Application::clone(harness.fixture.snapshot().application_of(harness.fixture.app.client_id).unwrap());
    app.identifier_uris = vec!["api://orders".into()];
    app.redirect_uris = vec!["https://orders.example/signed-in".into()];
    harness.fixture.put(app.clone()).await;
    app
}

/// A person's token for that API, got with the command line.
async fn token_for_api(harness: &Harness) -> String {
    let answer = redeem(harness, &code(harness).await, &[("scope", "api://orders/.default")]).await;
    let token = answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
    harness.keep_secret(token.clone());
    token
}

async fn on_behalf_of(harness: &Harness, assertion: &str, changes: &[(&str, &str)]) -> Answer {
    let client_id = harness.fixture.app.client_id.to_string();
    let mut fields = vec![
        ("grant_type", JWT_BEARER),
        ("client_id", client_id.as_str()),
        ("client_secret", APP_SECRET),
        ("assertion", assertion),
        ("requested_token_use", "on_behalf_of"),
        ("scope", GATEWAY_SCOPE),
        ("client_info", "1"),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    harness.post(&format!("/{TENANT}/oauth2/v2.0/token"), &fields).await
}

#[tokio::test]
async fn a_service_acts_for_the_person_who_called_it() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    api(&harness).await;
    let answer = on_behalf_of(&harness, &token_for_api(&harness).await, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let claims = answer.claims("access_token");
    assert_eq!((&claims["oid"], &claims["aud"]), (&json!(user), &json!("https://cognitiveservices.azure.com")));
    assert_eq!((&claims["appid"], &claims["appidacr"]), (&json!(harness.fixture.app.client_id), &json!("1")));
    assert!(answer.body.get("refresh_token").is_none(), "a service keeps no sign-in of its own");
    let detail = harness.fixture.audit.last().token.unwrap();
    assert_eq!((&*detail.grant, &*detail.credential), ("on_behalf_of", "secret"));
}

#[tokio::test]
async fn tokens_that_were_not_meant_for_the_service_are_refused_n83() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    api(&harness).await;
    let good = token_for_api(&harness).await;
    let other = redeem(&harness, &code(&harness).await, &[]).await.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(on_behalf_of(&harness, &other, &[]).await.code(), 500_131, "the person's token for another resource");
    let own = harness.fixture.token(harness.fixture.demo_app, &harness.fixture.app.client_id.to_string());
    assert_eq!(on_behalf_of(&harness, &own, &[]).await.code(), 7_000_114, "a program's token");
    let foreign = harness.fixture.token_with(harness.fixture.foreign_app, &harness.fixture.app.client_id.to_string(), OTHER_TENANT, 3600);
    let answer = on_behalf_of(&harness, &foreign, &[]).await;
    assert_eq!((answer.code(), answer.error()), (50_013, "invalid_grant"), "another tenant's token");
    for forged in [format!("{}x", &good[..good.len() - 1]), "a.b.c".into(), good.replace("eyJ", "eyK")] {
        assert_eq!(on_behalf_of(&harness, &forged, &[]).await.error(), "invalid_grant");
    }
    for (change, code) in [
        (("client_secret", "wrong-secret"), 7_000_215),
        (("requested_token_use", "impersonate"), 9_002_313),
        (("scope", "https://unknown.example/.default"), 500_011),
        (("scope", "api://a/x api://b/y"), 28_000),
    ] {
        assert_eq!(on_behalf_of(&harness, &good, &[change]).await.code(), code, "{change:?}");
    }
    harness.fixture.clock.advance_secs(2 * 3600);
    assert_eq!(on_behalf_of(&harness, &good, &[]).await.code(), 50_013, "expired");
}

/// A second application of the same tenant, with the same secret.
async fn partner(harness: &Harness) -> keyless_model::ClientId {
    let snapshot = harness.fixture.snapshot();
    let mut app = Application::clone(snapshot.application_of(harness.fixture.app.client_id).unwrap());
    let mut principal = Principal::clone(snapshot.service_principal(app.client_id).unwrap());
    let client_id = keyless_model::ClientId::from_u128(0xbeef);
    (app.id, principal.id) = (ObjectId::from_u128(0xbeef1), ObjectId::from_u128(0xbeef2));
    (app.client_id, principal.client_id) = (client_id, Some(client_id));
    app.identifier_uris = vec!["api://partner".into()];
    app.redirect_uris = Vec::new();
    harness.fixture.put(app).await;
    harness.fixture.put(principal).await;
    client_id
}

#[tokio::test]
async fn a_service_gets_no_token_for_itself_i4() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let app = api(&harness).await;
    let token = token_for_api(&harness).await;
    for name in ["api://orders".to_owned(), app.client_id.to_string()] {
        let answer = on_behalf_of(&harness, &token, &[("scope", &format!("{name}/.default"))]).await;
        assert_eq!(answer.code(), 90_009, "{name}");
    }
}

#[tokio::test]
async fn services_that_call_each_other_do_not_outlive_the_sign_in_i4() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let (app, partner) = (api(&harness).await.client_id.to_string(), partner(&harness).await.to_string());
    // Without `offline_access` the sign-in is the token.
    let answer = redeem(&harness, &code(&harness).await, &[("scope", "api://orders/.default openid")]).await;
    let (first, begun) = (answer.claims("access_token"), answer.body["access_token"].as_str().unwrap().to_owned());
    let mut token = begun;
    for hop in 0.. {
        let (asking, asked) = if hop % 2 == 0 { (&app, "api://partner/.default") } else { (&partner, "api://orders/.default") };
        let answer = on_behalf_of(&harness, &token, &[("client_id", asking), ("scope", asked)]).await;
        if answer.status != StatusCode::OK {
            assert!(hop > 2 && [50_013, 700_082].contains(&answer.code()), "{hop}: {}", answer.text);
            break;
        }
        let claims = answer.claims("access_token");
        assert!(claims["exp"].as_i64().unwrap() <= first["exp"].as_i64().unwrap(), "hop {hop}");
        assert_eq!(claims["sid"], first["sid"], "the sign-in keeps its name on the way");
        token = answer.body["access_token"].as_str().unwrap().to_owned();
        harness.fixture.clock.advance_secs(1200);
    }
}

#[tokio::test]
async fn a_sign_in_that_was_revoked_is_not_acted_for_i4() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    api(&harness).await;
    let answer = redeem(&harness, &code(&harness).await, &[("scope", "api://orders/.default offline_access")]).await;
    let token = answer.body["access_token"].as_str().unwrap().to_owned();
    harness.keep_secret(token.clone());
    assert_eq!(on_behalf_of(&harness, &token, &[]).await.status, StatusCode::OK);
    let line = harness.fixture.snapshot().refresh_families().next().map(|line| keyless_model::entity::RefreshFamily::clone(line)).unwrap();
    harness.fixture.put(keyless_model::entity::RefreshFamily { revoked: true, ..line }).await;
    assert_eq!(on_behalf_of(&harness, &token, &[]).await.code(), 50_173);
}

#[tokio::test]
async fn a_sign_in_that_is_not_known_any_more_is_not_acted_for_i4() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    api(&harness).await;
    // Made room for a newer one, or over: with refresh tokens, and without.
    for scope in ["api://orders/.default offline_access", "api://orders/.default openid"] {
        let mut browser = Browser::default();
        browser.open(&harness, &authorize(&[("scope", scope)])).await;
        let code = browser.sign_in(&harness, NAME, PASSWORD).await.hidden("code").unwrap();
        let answer = redeem(&harness, &code, &[("scope", scope)]).await;
        let token = answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
        harness.keep_secret(token.clone());
        assert_eq!(on_behalf_of(&harness, &token, &[]).await.status, StatusCode::OK, "{scope}");
        let snapshot = harness.fixture.snapshot();
        let line = keyless_model::entity::RefreshFamily::clone(snapshot.refresh_families().next().unwrap());
        let over = keyless_model::entity::RefreshFamily { expires: harness.fixture.platform.clock.now(), ..line.clone() };
        harness.fixture.put(over).await;
        assert_eq!(on_behalf_of(&harness, &token, &[]).await.code(), 700_082, "{scope}: over");
        harness.fixture.delete(line).await;
        assert_eq!(on_behalf_of(&harness, &token, &[]).await.code(), 700_082, "{scope}: gone");
    }
}

#[tokio::test]
async fn a_disabled_person_is_not_acted_for() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    api(&harness).await;
    let token = token_for_api(&harness).await;
    let mut principal = Principal::clone(harness.fixture.snapshot().principal(user).unwrap());
    principal.enabled = false;
    harness.fixture.put(principal).await;
    assert_eq!(on_behalf_of(&harness, &token, &[]).await.code(), 50_057);
}

#[tokio::test]
async fn a_web_application_needs_its_secret_beside_the_code() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let app = api(&harness).await;
    let client_id = app.client_id.to_string();
    let path = authorize(&[
        ("client_id", &client_id),
        ("redirect_uri", &app.redirect_uris[0]),
        ("response_mode", "query"),
        ("scope", "openid offline_access https://ai.azure.com/.default"),
    ]);
    for (changes, expected) in
        [(vec![("client_secret", APP_SECRET)], Ok(())), (vec![], Err(7_000_218)), (vec![("client_secret", "wrong-secret")], Err(7_000_215))]
    {
        let mut browser = Browser::default();
        browser.open(&harness, &path).await;
        let answer = browser.sign_in(&harness, NAME, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        assert!(location.starts_with("https://orders.example/signed-in?code="), "{location}");
        let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let mut all =
            vec![("client_id", client_id.as_str()), ("redirect_uri", &app.redirect_uris[0]), ("scope", "https://ai.azure.com/.default")];
        all.extend(changes);
        let answer = redeem(&harness, &code, &all).await;
        match expected {
            Ok(()) => assert_eq!(answer.claims("access_token")["appidacr"], "1"),
            Err(number) => assert_eq!(answer.code(), number),
        }
    }
}
