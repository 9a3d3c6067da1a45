//! The authorization code flow with PKCE, as `az login` uses it.

use super::*;

#[tokio::test]
async fn az_login_with_a_browser_works_from_page_to_token() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    let mut browser = Browser::default();
    let page = browser.open(&harness, &authorize(&[("login_hint", NAME)])).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("Sign in to Azure CLI") && page.text.contains(NAME));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"));
    assert!(policy.contains("form-action 'self' http://localhost:35625"), "{policy}");
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");

    let sent_on = browser.sign_in(&harness, NAME, PASSWORD).await;
    assert!(sent_on.text.contains(&format!("action=\"{REDIRECT}\"")), "{}", sent_on.text);
    assert_eq!(sent_on.hidden("state").unwrap(), "st&amp;te");
    let code = sent_on.hidden("code").unwrap();

    let answer = redeem(&harness, &code, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let scopes: Vec<_> = answer.body["scope"].as_str().unwrap().split(' ').collect();
    assert!(scopes.contains(&"https://localhost:8443//.default"), "{scopes:?}");
    let id = answer.claims("id_token");
    assert_eq!((&id["nonce"], &id["aud"], &id["preferred_username"]), (&json!("n-0S6_WzA2Mj"), &json!(AZURE_CLI), &json!(NAME)));
    assert_eq!((&id["tid"], &id["oid"], &id["ver"]), (&json!(TENANT), &json!(user), &json!("2.0")));
    let access = answer.claims("access_token");
    assert_eq!((&access["aud"], &access["scp"]), (&json!("https://localhost:8443/"), &json!("user_impersonation")));
    assert_eq!((&access["appid"], &access["appidacr"], &access["idtyp"]), (&json!(AZURE_CLI), &json!("0"), &json!("user")));
    assert_eq!((&access["upn"], &access["amr"]), (&json!(NAME), &json!(["pwd"])));
    assert_eq!(access["sub"], id["sub"]);
    assert_ne!(access["sub"], json!(user), "a person's subject is pairwise");
    let info = URL_SAFE_NO_PAD.decode(answer.body["client_info"].as_str().unwrap()).unwrap();
    let info: serde_json::Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info, json!({"uid": user, "utid": TENANT}));
    assert!(answer.body["refresh_token"].as_str().unwrap().starts_with("k1."));
}

#[tokio::test]
async fn a_code_works_once_for_its_program_with_its_verifier_and_address() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let used = code(&harness).await;
    assert_eq!(redeem(&harness, &used, &[]).await.status, StatusCode::OK);
    let again = redeem(&harness, &used, &[]).await;
    assert_eq!((again.code(), again.error()), (70_000, "invalid_grant"));
    for change in [
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"),
        ("code_verifier", "short"),
        ("redirect_uri", "http://localhost:35626"),
    ] {
        let code = code(&harness).await;
        let answer = redeem(&harness, &code, &[change]).await;
        assert_eq!((answer.code(), answer.error()), (70_000, "invalid_grant"), "{change:?}");
        assert_eq!(redeem(&harness, &code, &[]).await.code(), 70_000, "a failed try spends the code");
    }
    let late = code(&harness).await;
    harness.fixture.clock.advance_secs(301);
    assert_eq!(redeem(&harness, &late, &[]).await.code(), 70_000);
    assert_eq!(redeem(&harness, "guessed-code", &[]).await.code(), 70_000);
    assert_eq!(redeem(&harness, "guessed-code", &[("client_secret", "some-secret")]).await.code(), 700_025, "public clients have none");
}

#[tokio::test]
async fn a_code_that_is_brought_twice_ends_what_it_began_i15() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let used = code(&harness).await;
    let token = refresh_token(&harness, &redeem(&harness, &used, &[]).await);
    let other = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    assert_eq!(redeem(&harness, &used, &[]).await.code(), 70_000);
    assert_eq!(refresh(&harness, &TENANT.to_string(), &token, ARM_SCOPE).await.code(), 50_173);
    assert_eq!(refresh(&harness, &TENANT.to_string(), &other, ARM_SCOPE).await.status, StatusCode::OK, "other sign-ins go on");
    let revoked = harness.fixture.audit.events().iter().any(|event| event.operation == "RefreshToken_Revoke");
    assert!(revoked, "and it is recorded");
}

#[tokio::test]
async fn a_code_that_is_brought_twice_ends_the_access_tokens_it_gave_i15() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let control =
        keyless_web::Authenticator::new(harness.fixture.platform.clone(), keyless_web::Audiences::control("https://localhost:8443"));
    let holds = |answer: &Answer| {
        let token = answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
        control.authenticate_token(&harness.fixture.snapshot(), token, harness.fixture.platform.clock.now())
    };
    // With refresh tokens, and without: the session is known either way.
    for scope in [ARM_SCOPE, "https://localhost:8443//.default openid"] {
        let begin = async || {
            let mut browser = Browser::default();
            browser.open(&harness, &authorize(&[("scope", scope)])).await;
            let code = browser.sign_in(&harness, NAME, PASSWORD).await.hidden("code").unwrap();
            let answer = redeem(&harness, &code, &[("scope", scope)]).await;
            holds(&answer).expect("it is good");
            (code, answer)
        };
        let ((stolen, first), (_, other)) = (begin().await, begin().await);
        assert_eq!(redeem(&harness, &stolen, &[("scope", scope)]).await.code(), 70_000);
        assert!(matches!(holds(&first), Err(keyless_web::AuthnError::Revoked { .. })), "{scope}");
        holds(&other).expect("other sign-ins go on");
    }
}

#[tokio::test]
async fn a_code_that_comes_back_while_it_is_redeemed_begins_nothing_i15() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let used = code(&harness).await;
    // Both are at work before either has written anything.
    let (one, two) = tokio::join!(redeem(&harness, &used, &[]), redeem(&harness, &used, &[]));
    let (won, lost) = if one.status == StatusCode::OK { (one, two) } else { (two, one) };
    assert_eq!(lost.code(), 70_000);
    if won.status == StatusCode::OK {
        let token = refresh_token(&harness, &won);
        assert_eq!(refresh(&harness, &TENANT.to_string(), &token, ARM_SCOPE).await.code(), 50_173);
    }
    assert!(harness.fixture.snapshot().refresh_families().all(|line| line.revoked));
}

#[tokio::test]
async fn a_program_that_hears_of_an_error_does_not_say_signed_in_i15() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[])).await;
    let cancelled = browser.submit(&harness, "/common/login", &[("cancel", "1")]).await;
    assert_eq!(cancelled.hidden("error").as_deref(), Some("access_denied"), "{}", cancelled.text);
    assert!(cancelled.text.contains("<h1>Not signed in</h1>") && !cancelled.text.contains("<h1>Signed in"), "{}", cancelled.text);
    browser.open(&harness, &authorize(&[])).await;
    assert!(browser.sign_in(&harness, NAME, PASSWORD).await.text.contains("<h1>Signed in</h1>"));
}

#[tokio::test]
async fn requests_that_name_no_known_address_stay_on_a_page() {
    let harness = Harness::new().await;
    for (changes, number) in [
        ([("redirect_uri", "https://evil.example/")], "AADSTS50011"),
        ([("redirect_uri", "http://localhost.evil.example")], "AADSTS50011"),
        ([("redirect_uri", "<absent>")], "AADSTS900144"),
        ([("client_id", "00000000-0000-0000-0000-00000000ffff")], "AADSTS700016"),
        ([("client_id", "<absent>")], "AADSTS900144"),
    ] {
        let answer = harness.get(&authorize(&changes)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text.contains(number) && answer.headers.get("location").is_none(), "{changes:?} {}", answer.text);
    }
}

#[tokio::test]
async fn other_mistakes_are_told_to_the_program_at_its_address() {
    let harness = Harness::new().await;
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", "id_token"), "unsupported_response_type"),
        (("code_challenge", "<absent>"), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("scope", "api://x/a api://y/b"), "invalid_scope"),
        (("prompt", "none"), "login_required"),
        (("request_uri", "https://evil.example/r"), "invalid_request"),
    ] {
        let answer = harness.get(&authorize(&[change, ("response_mode", "query")])).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{change:?} {}", answer.text);
        let location = answer.headers["location"].to_str().unwrap();
        assert!(location.starts_with(&format!("{REDIRECT}?error={error}&")) && location.ends_with("&state=st%26te"), "{location}");
    }
    let answer = harness.get(&authorize(&[("response_mode", "web_message")])).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "an unknown mode falls back to the query");
}

#[tokio::test]
async fn wrong_passwords_and_unknown_people_look_alike_and_lock_out() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[])).await;
    let mut texts = Vec::new();
    for (name, password) in [(NAME, "wrong password one"), ("nobody@keyless.test", "wrong password two"), (NAME, "")] {
        let answer = browser.sign_in(&harness, name, password).await;
        assert!(answer.hidden("code").is_none());
        texts.push(answer.text.split("role=\"alert\"").nth(1).unwrap().split("</p>").next().unwrap().to_owned());
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    for n in 0..4 {
        let spelled = format!("{}{}", NAME.to_uppercase(), " ".repeat(n));
        browser.sign_in(&harness, &spelled, &format!("wrong password {n}")).await;
    }
    let locked = browser.sign_in(&harness, NAME, PASSWORD).await;
    assert!(locked.text.contains("Too many attempts"), "{}", locked.text);
    harness.fixture.clock.advance_secs(600);
    assert!(browser.sign_in(&harness, NAME, PASSWORD).await.hidden("code").is_some());
}

#[tokio::test]
async fn a_form_from_another_browser_site_or_time_signs_nobody_in() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let mut attacker = Browser::default();
    attacker.open(&harness, &authorize(&[])).await;
    let mut victim = Browser::default();
    victim.open(&harness, &authorize(&[])).await;
    let own_ticket = std::mem::replace(&mut victim.ticket, attacker.ticket.clone());
    let answer = victim.sign_in(&harness, NAME, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "another browser's ticket");
    victim.ticket = own_ticket;
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("ticket", victim.ticket.as_str()), ("username", NAME), ("password", PASSWORD)])
        .finish();
    for (origin, cookie) in
        [("https://evil.example", victim.cookie.as_deref()), ("null", victim.cookie.as_deref()), ("https://localhost:8443", None)]
    {
        let mut request = form("/common/login").header("origin", origin);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let answer = harness.send(request.body(body.clone().into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{origin}");
    }
    harness.fixture.clock.advance_secs(1801);
    assert_eq!(victim.sign_in(&harness, NAME, PASSWORD).await.status, StatusCode::BAD_REQUEST, "an old page");
}

#[tokio::test]
async fn a_person_of_another_tenant_does_not_get_in() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let path = authorize(&[]).replace("/organizations/", &format!("/{}/", keyless_testkit::OTHER_TENANT));
    let mut browser = Browser::default();
    browser.open(&harness, &path).await;
    let answer = browser.sign_in(&harness, NAME, PASSWORD).await;
    assert!(answer.text.contains("another organization") && answer.hidden("code").is_none(), "{}", answer.text);
}
