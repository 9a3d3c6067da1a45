//! The device flow.

use super::*;

#[tokio::test]
async fn az_login_with_a_device_code_works_from_code_to_token() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let begun = harness.post("/organizations/oauth2/v2.0/devicecode", &[("client_id", AZURE_CLI), ("scope", ARM_SCOPE)]).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    let (device_code, user_code) = (begun.body["device_code"].as_str().unwrap(), begun.body["user_code"].as_str().unwrap());
    assert_eq!(begun.body["verification_uri"], "https://localhost:8443/device");
    assert!(begun.body["message"].as_str().unwrap().contains(user_code));
    let poll = || async {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let fields =
            [("client_id", AZURE_CLI), ("grant_type", grant), ("client_info", "1"), ("code", device_code), ("device_code", device_code)];
        harness.post("/organizations/oauth2/v2.0/token", &fields).await
    };
    let before = harness.fixture.audit.events().len();
    assert_eq!(poll().await.error(), "authorization_pending");
    assert_eq!(poll().await.error(), "slow_down");
    assert_eq!(harness.fixture.audit.events().len(), before, "waiting is no refusal");

    let mut browser = Browser::default();
    browser.open(&harness, "/device").await;
    let wrong = browser.submit(&harness, "/device", &[("user_code", "BCDF-GHJK")]).await;
    assert!(wrong.text.contains("No device waits under this code"));
    let typed = user_code.to_lowercase().replace('-', " ");
    let page = browser.submit(&harness, "/device", &[("user_code", &typed)]).await;
    assert!(page.text.contains("Go on only if you started it"), "{}", page.text);
    let done = browser.sign_in(&harness, NAME, PASSWORD).await;
    assert!(done.text.contains("Your device goes on by itself"), "{}", done.text);

    harness.fixture.clock.advance_secs(10);
    let answer = poll().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.claims("access_token")["aud"], "https://localhost:8443/");
    assert_eq!(answer.claims("id_token")["preferred_username"], NAME);
    assert!(answer.body["refresh_token"].is_string());
    assert_eq!(poll().await.error(), "bad_verification_code", "it works once");
}

#[tokio::test]
async fn a_device_sign_in_can_be_declined_expires_and_belongs_to_its_program() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let begin =
        || async { harness.post("/organizations/oauth2/v2.0/devicecode", &[("client_id", AZURE_CLI), ("scope", ARM_SCOPE)]).await.body };
    let poll = |code: String, client: &'static str| {
        let harness = &harness;
        async move {
            let fields = [("client_id", client), ("grant_type", "device_code"), ("device_code", code.as_str())];
            harness.post(&format!("/{TENANT}/oauth2/v2.0/token"), &fields).await
        }
    };
    let declined = begin().await;
    let mut browser = Browser::default();
    browser.open(&harness, "/device").await;
    browser.submit(&harness, "/device", &[("user_code", declined["user_code"].as_str().unwrap())]).await;
    let (name, password) = (("username", NAME), ("password", PASSWORD));
    browser.submit(&harness, "/common/login", &[name, password, ("cancel", "1")]).await;
    let code = declined["device_code"].as_str().unwrap().to_owned();
    assert_eq!(poll(code, AZURE_CLI).await.error(), "authorization_declined");

    let expired = begin().await;
    harness.fixture.clock.advance_secs(901);
    assert_eq!(poll(expired["device_code"].as_str().unwrap().to_owned(), AZURE_CLI).await.error(), "expired_token");
    assert_eq!(poll("guessed-device-code".into(), AZURE_CLI).await.error(), "bad_verification_code");
}

#[tokio::test]
async fn user_codes_cannot_be_found_by_trying() {
    let harness = Harness::new().await;
    let mut browser = Browser::default();
    browser.open(&harness, "/device").await;
    let mut last = StatusCode::OK;
    for _ in 0..30 {
        last = browser.submit(&harness, "/device", &[("user_code", "BCDF-GHJK")]).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn nobody_fills_the_memory_with_device_codes_i6() {
    let harness = Harness::new().await;
    let begin = || harness.post("/common/oauth2/v2.0/devicecode", &[("client_id", AZURE_CLI), ("scope", ARM_SCOPE)]);
    let first = begin().await.body["device_code"].as_str().unwrap().to_owned();
    for _ in 0..100 {
        harness.fixture.clock.advance_millis(1);
        assert_eq!(begin().await.status, StatusCode::OK, "the oldest one of the same place makes room");
    }
    let poll = [("client_id", AZURE_CLI), ("grant_type", "device_code"), ("device_code", &first)];
    assert_eq!(harness.post("/common/oauth2/v2.0/token", &poll).await.error(), "bad_verification_code");
    let long = format!("https://graph.microsoft.com/{}", "a".repeat(3000));
    let answer = harness.post("/common/oauth2/v2.0/devicecode", &[("client_id", AZURE_CLI), ("scope", &long)]).await;
    assert_eq!(answer.code(), 9_002_313, "no long scope is kept");
}

#[tokio::test]
async fn whoever_knows_a_user_code_alone_declines_nothing_and_sees_where_it_comes_from_i15() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let begun = harness.post("/organizations/oauth2/v2.0/devicecode", &[("client_id", AZURE_CLI), ("scope", ARM_SCOPE)]).await.body;
    harness.fixture.clock.advance_secs(130);
    let mut browser = Browser::default();
    browser.open(&harness, "/device").await;
    let page = browser.submit(&harness, "/device", &[("user_code", begun["user_code"].as_str().unwrap())]).await;
    assert!(page.text.contains("from the address 192.0.2.1, 2 minutes ago"), "{}", page.text);
    for fields in [vec![("cancel", "1")], vec![("cancel", "1"), ("username", NAME), ("password", "wrong password here")]] {
        browser.submit(&harness, "/common/login", &fields).await;
        harness.fixture.clock.advance_secs(10);
        let poll = [("client_id", AZURE_CLI), ("grant_type", "device_code"), ("device_code", begun["device_code"].as_str().unwrap())];
        assert_eq!(harness.post("/common/oauth2/v2.0/token", &poll).await.error(), "authorization_pending");
    }
}
