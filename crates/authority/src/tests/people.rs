//! People sign in: in a browser, on another device, and stay signed in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, StatusCode};
use keyless_model::entity::{Principal, User};
use keyless_model::{Actor, ObjectId, Secret};
use keyless_rbac::Permit;
use keyless_testkit::TENANT;
use serde_json::json;

use super::harness::{Answer, Harness, form};
use crate::{NewInvitation, NewUser, add_user, invite, revoke_sessions};

const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const ARM_SCOPE: &str = "https://localhost:8443//.default offline_access openid profile";
const NAME: &str = "ada@keyless.test";
const PASSWORD: &str = "correct horse battery staple";
const REDIRECT: &str = "http://localhost:35625";
// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser: remembers its cookie and the form of the last page.
#[derive(Default)]
struct Browser {
    cookie: Option<String>,
    ticket: String,
}

impl Browser {
    async fn open(&mut self, harness: &Harness, path: &str) -> Answer {
        let mut request = Request::get(path);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = harness.send(request.body(axum::body::Body::empty()).unwrap()).await;
        self.remember(&answer);
        answer
    }

    async fn submit(&mut self, harness: &Harness, path: &str, fields: &[(&str, &str)]) -> Answer {
        for (name, value) in fields {
            if name.contains("password") || *name == "again" {
                harness.keep_secret(*value);
            }
        }
        let ticket = self.ticket.clone();
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("ticket", &ticket).extend_pairs(fields).finish();
        let mut request = form(path).header("origin", "https://localhost:8443");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = harness.send(request.body(body.into()).unwrap()).await;
        self.remember(&answer);
        answer
    }

    fn remember(&mut self, answer: &Answer) {
        if let Some(cookie) = answer.headers.get("set-cookie") {
            self.cookie = Some(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        if let Some(ticket) = answer.hidden("ticket") {
            self.ticket = ticket;
        }
    }

    async fn sign_in(&mut self, harness: &Harness, name: &str, password: &str) -> Answer {
        self.submit(harness, "/common/login", &[("username", name), ("password", password)]).await
    }
}

impl Answer {
    /// The value of a hidden input.
    fn hidden(&self, name: &str) -> Option<String> {
        let rest = self.text.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
        Some(rest.split('"').next()?.to_owned())
    }
}

async fn person(harness: &Harness, must_change: bool) -> ObjectId {
    let new = NewUser {
        tenant: TENANT,
        user_principal_name: NAME.into(),
        display_name: "Ada Lovelace".into(),
        password: Secret::new(PASSWORD.to_owned()),
        must_change,
    };
    harness.keep_secret(PASSWORD);
    let platform = &harness.fixture.platform;
    add_user(platform, &platform.begin(Actor::System("test")), &Permit::system("test"), new).await.unwrap()
}

fn authorize(changes: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("client_id", AZURE_CLI),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", ARM_SCOPE),
        ("state", "st&te"),
        ("response_mode", "form_post"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("client_info", "1"),
        ("prompt", "select_account"),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| *value != "<absent>");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/organizations/oauth2/v2.0/authorize?{query}")
}

async fn code(harness: &Harness) -> String {
    let mut browser = Browser::default();
    browser.open(harness, &authorize(&[])).await;
    let code = browser.sign_in(harness, NAME, PASSWORD).await.hidden("code").unwrap();
    harness.keep_secret(code.clone());
    code
}

async fn redeem(harness: &Harness, code: &str, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("client_id", AZURE_CLI),
        ("grant_type", "authorization_code"),
        ("client_info", "1"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT),
        ("scope", ARM_SCOPE),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    harness.post("/organizations/oauth2/v2.0/token", &fields).await
}

async fn refresh(harness: &Harness, tenant: &str, token: &str, scope: &str) -> Answer {
    let fields =
        [("client_id", AZURE_CLI), ("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope), ("client_info", "1")];
    harness.post(&format!("/{tenant}/oauth2/v2.0/token"), &fields).await
}

fn refresh_token(harness: &Harness, answer: &Answer) -> String {
    let token = answer.body["refresh_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
    harness.keep_secret(token.clone());
    token
}

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
    let answer = harness.get(&authorize(&[("response_mode", "fragment")])).await;
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
        browser.sign_in(&harness, NAME, &format!("wrong password {n}")).await;
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
    browser.submit(&harness, "/common/login", &[("cancel", "1")]).await;
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
async fn nobody_fills_the_memory_with_device_codes() {
    let harness = Harness::new().await;
    let fields = [("client_id", AZURE_CLI), ("scope", ARM_SCOPE)];
    for _ in 0..100 {
        assert_eq!(harness.post("/common/oauth2/v2.0/devicecode", &fields).await.status, StatusCode::OK);
    }
    let answer = harness.post("/common/oauth2/v2.0/devicecode", &fields).await;
    assert_eq!((answer.code(), answer.status.as_u16()), (90_055, 429));
    harness.fixture.clock.advance_secs(1000);
    assert_eq!(harness.post("/common/oauth2/v2.0/devicecode", &fields).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_gets_other_resources_and_moves_on() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let first = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    // As `az login` does: begun at `organizations`, renewed at the tenant.
    let answer = refresh(&harness, &TENANT.to_string(), &first, "https://cognitiveservices.azure.com/.default offline_access openid").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.claims("access_token")["aud"], "https://cognitiveservices.azure.com");
    let second = refresh_token(&harness, &answer);
    assert_ne!(first, second);
    let session = answer.claims("access_token")["sid"].clone();
    let third = refresh(&harness, &TENANT.to_string(), &second, ARM_SCOPE).await;
    assert_eq!(third.claims("access_token")["sid"], session, "one sign-in, one session");
}

#[tokio::test]
async fn a_replayed_refresh_token_ends_its_whole_line() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let stolen = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    let tenant = TENANT.to_string();
    let second = refresh_token(&harness, &refresh(&harness, &tenant, &stolen, ARM_SCOPE).await);
    // A moment later it is a lost answer or a second process, not a thief: the current token is given again.
    let repeated = refresh_token(&harness, &refresh(&harness, &tenant, &stolen, ARM_SCOPE).await);
    let third = refresh_token(&harness, &refresh(&harness, &tenant, &repeated, ARM_SCOPE).await);
    harness.fixture.clock.advance_secs(61);
    for _ in 0..2 {
        let answer = refresh(&harness, &tenant, &second, ARM_SCOPE).await;
        assert_eq!((answer.code(), answer.error()), (50_173, "invalid_grant"));
    }
    assert_eq!(refresh(&harness, &tenant, &third, ARM_SCOPE).await.code(), 50_173, "the honest one must sign in again, too");
    let operations: Vec<_> = harness.fixture.audit.events().iter().map(|event| event.operation.to_string()).collect();
    assert!(operations.contains(&"RefreshToken_Revoke".to_owned()), "{operations:?}");
}

#[tokio::test]
async fn refresh_tokens_of_others_or_of_nobody_are_refused() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let token = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    let tenant = TENANT.to_string();
    let mut forged = token.clone();
    forged.replace_range(20..21, if &token[20..21] == "A" { "B" } else { "A" });
    for bad in [forged.as_str(), "k1.AAAA", "not-a-token", &token[..token.len() - 1]] {
        let answer = refresh(&harness, &tenant, bad, ARM_SCOPE).await;
        assert_eq!((answer.code(), answer.error()), (9_002_313, "invalid_grant"), "{bad}");
    }
    let app = harness.fixture.app.client_id.to_string();
    let fields = [
        ("client_id", app.as_str()),
        ("client_secret", keyless_testkit::APP_SECRET),
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("scope", ARM_SCOPE),
    ];
    assert_eq!(harness.post(&format!("/{tenant}/oauth2/v2.0/token"), &fields).await.code(), 9_002_313, "another program's");
    let other = refresh(&harness, &keyless_testkit::OTHER_TENANT.to_string(), &token, ARM_SCOPE).await;
    assert_eq!(other.error(), "invalid_grant");
}

#[tokio::test]
async fn refresh_tokens_end_with_disuse_with_age_and_with_the_account() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    let tenant = TENANT.to_string();
    let idle = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    harness.fixture.clock.advance_secs(14 * 86_400);
    assert_eq!(refresh(&harness, &tenant, &idle, ARM_SCOPE).await.code(), 700_082);

    let mut token = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    for _ in 0..12 {
        harness.fixture.clock.advance_secs(7 * 86_400);
        token = refresh_token(&harness, &refresh(&harness, &tenant, &token, ARM_SCOPE).await);
    }
    harness.fixture.clock.advance_secs(7 * 86_400);
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.code(), 700_082, "90 days from the sign-in");

    let token = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    let mut principal = Principal::clone(harness.fixture.snapshot().principal(user).unwrap());
    principal.enabled = false;
    harness.fixture.put(principal.clone()).await;
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.code(), 50_057);
    principal.enabled = true;
    harness.fixture.put(principal).await;
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.status, StatusCode::OK);
}

#[tokio::test]
async fn revoking_sessions_ends_every_token_and_a_new_sign_in_works() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    let tenant = TENANT.to_string();
    let answer = redeem(&harness, &code(&harness).await, &[]).await;
    let token = refresh_token(&harness, &answer);
    harness.fixture.clock.advance_secs(5);
    let platform = &harness.fixture.platform;
    revoke_sessions(platform, &platform.begin(Actor::System("test")), &Permit::system("test"), user).await.unwrap();
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.code(), 50_173);
    let control = keyless_web::Authenticator::new(platform.clone(), keyless_web::Audiences::control("https://localhost:8443"));
    let access = answer.body["access_token"].as_str().unwrap();
    let now = platform.clock.now();
    let refused = control.authenticate_token(&harness.fixture.snapshot(), access, now);
    assert!(matches!(refused, Err(keyless_web::AuthnError::Revoked { .. })), "{refused:?}");
    harness.fixture.clock.advance_secs(1);
    assert_eq!(redeem(&harness, &code(&harness).await, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_first_password_must_be_changed_and_a_change_ends_older_sign_ins() {
    let harness = Harness::new().await;
    let user = person(&harness, true).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[])).await;
    let page = browser.sign_in(&harness, NAME, PASSWORD).await;
    assert!(page.text.contains("Choose a new password") && page.hidden("code").is_none(), "{}", page.text);
    for (new, again, told) in [
        ("a better long password", "another long password", "differ"),
        ("short", "short", "12 characters"),
        (PASSWORD, PASSWORD, "is the old one"),
    ] {
        let answer = browser.submit(&harness, "/common/password", &[("new_password", new), ("again", again)]).await;
        assert!(answer.text.contains(told) && answer.hidden("code").is_none(), "{}", answer.text);
    }
    harness.fixture.clock.advance_secs(5);
    let better = "a better long password";
    let done = browser.submit(&harness, "/common/password", &[("new_password", better), ("again", better)]).await;
    let code = done.hidden("code").unwrap_or_else(|| panic!("{}", done.text));
    let token = refresh_token(&harness, &redeem(&harness, &code, &[]).await);
    browser.open(&harness, &authorize(&[])).await;
    assert!(browser.sign_in(&harness, NAME, PASSWORD).await.hidden("code").is_none(), "the old password is dead");
    harness.fixture.clock.advance_secs(5);
    let mut row = User::clone(harness.fixture.snapshot().user(user).unwrap());
    row.password.as_mut().unwrap().changed = harness.fixture.platform.clock.now();
    harness.fixture.put(row).await;
    assert_eq!(refresh(&harness, &TENANT.to_string(), &token, ARM_SCOPE).await.code(), 50_173);
}

#[tokio::test]
async fn an_invitation_makes_one_administrator_once() {
    let harness = Harness::new().await;
    let platform = &harness.fixture.platform;
    let new = || NewInvitation {
        tenant: TENANT,
        user_principal_name: "root@keyless.test".into(),
        display_name: "Root".into(),
        owner: true,
        lifetime_secs: 3600,
    };
    let link = invite(platform, &platform.begin(Actor::System("test")), new()).unwrap();
    let path = link.expose().strip_prefix("https://localhost:8443").unwrap().to_owned();
    harness.keep_secret(path.split('=').nth(1).unwrap());
    let mut browser = Browser::default();
    let page = browser.open(&harness, &path).await;
    assert!(page.text.contains("Welcome, Root"), "{}", page.text);
    let fields = [("new_password", PASSWORD), ("again", PASSWORD)];
    let done = browser.submit(&harness, "/common/password", &fields).await;
    assert!(done.text.contains("Your account is ready"), "{}", done.text);
    let snapshot = harness.fixture.snapshot();
    let user = snapshot.user_named("root@keyless.test").unwrap().id;
    let request = keyless_rbac::Request {
        principal: user,
        action: "Microsoft.Authorization/roleAssignments/write",
        plane: keyless_rbac::Plane::Control,
        scope: &harness.fixture.account,
        attributes: &keyless_rbac::Attributes::NONE,
    };
    assert!(snapshot.policy().decide(&request).is_allowed());
    assert_eq!(Browser::default().open(&harness, &path).await.status, StatusCode::BAD_REQUEST, "the link is spent");
    assert_eq!(browser.submit(&harness, "/common/password", &fields).await.status, StatusCode::BAD_REQUEST);
    let late = NewInvitation { user_principal_name: "late@keyless.test".into(), ..new() };
    let link = invite(platform, &platform.begin(Actor::System("test")), late).unwrap();
    harness.fixture.clock.advance_secs(3601);
    let path = link.expose().strip_prefix("https://localhost:8443").unwrap().to_owned();
    harness.keep_secret(path.split('=').nth(1).unwrap());
    assert_eq!(Browser::default().open(&harness, &path).await.status, StatusCode::BAD_REQUEST);
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
