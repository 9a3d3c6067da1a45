//! Sign-in through a provider: the round, and everything that must not end in a sign-in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Uri;
use keyless_model::Clock as _;
use keyless_model::entity::Principal;
use serde_json::Value;

use super::*;
use crate::tests::forge::Rsa;
use crate::{AccountError, Config, FetchError, FormPost, HttpFetch, HttpPost, Place, SignInProvider, link_user, unlink_user};

const ISSUER: &str = "https://login.corp.example";
const SUBJECT: &str = "248289761001";
const CLIENT: &str = "keyless at corp";
const CLIENT_SECRET: &str = "provider-client-secret+/";

/// The provider as we see it: documents, and a token endpoint that answers as told.
#[derive(Debug, Default)]
struct Corp {
    documents: Mutex<HashMap<String, String>>,
    /// The next answer of the token endpoint.
    answer: Mutex<Option<(u16, String)>>,
    /// The forms that came, with their `Authorization`.
    forms: Mutex<Vec<(String, Option<String>, Place)>>,
}

#[async_trait]
impl HttpFetch for Corp {
    async fn get(&self, url: &Uri, place: &Place) -> Result<Vec<u8>, FetchError> {
        let named = matches!(place, Place::Named { .. });
        assert_eq!(named, url.host() == Some("login.corp.example"), "only the host that the operator named may be anywhere: {url}");
        let found = self.documents.lock().unwrap().get(&url.to_string()).cloned();
        found.map(String::into_bytes).ok_or_else(|| FetchError::Resolve("nobody".into()))
    }
}

#[async_trait]
impl HttpPost for Corp {
    async fn post(&self, url: &Uri, place: &Place, form: FormPost) -> Result<(StatusCode, Vec<u8>), FetchError> {
        assert_eq!(url.to_string(), format!("{ISSUER}/token"));
        let authorization = form.authorization.map(|value| value.expose().clone());
        self.forms.lock().unwrap().push((form.body.expose().clone(), authorization, place.clone()));
        let (status, body) = self.answer.lock().unwrap().take().ok_or_else(|| FetchError::Deadline("login.corp.example".into()))?;
        Ok((StatusCode::from_u16(status).unwrap(), body.into_bytes()))
    }
}

/// A browser on its way through the provider.
struct Visit {
    browser: Browser,
    /// What the provider was asked.
    asked: HashMap<String, String>,
}

impl Visit {
    fn nonce(&self) -> &str {
        &self.asked["nonce"]
    }
}

struct World {
    harness: Harness,
    corp: Arc<Corp>,
}

impl World {
    async fn new() -> Self {
        Self::with(&[], json!({})).await
    }

    /// With the domains of which the provider's word is taken, and more in its discovery document.
    async fn with(email_domains: &[&str], more: Value) -> Self {
        let corp = Arc::new(Corp::default());
        let mut discovery = json!({
            "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/authorize"), "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": "https://keys.corp.example/keys",
        });
        discovery.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let keys = json!({"keys": [Rsa::shared(0).jwk("k1")]});
        for (url, document) in
            [(format!("{ISSUER}/.well-known/openid-configuration"), discovery), ("https://keys.corp.example/keys".into(), keys)]
        {
            corp.documents.lock().unwrap().insert(url, document.to_string());
        }
        let provider = SignInProvider {
            issuer: ISSUER.into(),
            name: "Corp <SSO>".into(),
            client_id: CLIENT.into(),
            client_secret: Some(Secret::new(CLIENT_SECRET.into())),
            certificates: Vec::new(),
            email_domains: email_domains.iter().map(ToString::to_string).collect(),
        };
        let config = Config { sign_in_with: Some(provider), provider_web: Some(Arc::clone(&corp) as _), ..Config::default() };
        let harness = Harness::with(config).await;
        harness.keep_secret(CLIENT_SECRET);
        Self { harness, corp }
    }

    async fn link(&self) -> ObjectId {
        let user = person(&self.harness, false).await;
        let platform = &self.harness.fixture.platform;
        let ctx = platform.begin(Actor::System("test"));
        assert_eq!(link_user(platform, &ctx, &keyless_testkit::system().permit("test"), NAME, ISSUER, SUBJECT).await.unwrap(), user);
        user
    }

    /// A browser that pressed the link on the sign-in page.
    async fn visit(&self) -> Visit {
        let mut browser = Browser::default();
        let page = browser.open(&self.harness, &authorize(&[])).await;
        assert!(page.text.contains("Sign in with Corp &lt;SSO&gt;"), "{}", page.text);
        let link = page.text.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let sent = browser.open(&self.harness, &link).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let location = sent.headers["location"].to_str().unwrap();
        let (endpoint, query) = location.split_once('?').unwrap();
        assert_eq!(endpoint, format!("{ISSUER}/authorize"));
        let asked = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Visit { browser, asked }
    }

    fn claims(&self, visit: &Visit) -> Value {
        let now = self.harness.fixture.clock.now().unix_secs();
        json!({"iss": ISSUER, "sub": SUBJECT, "aud": CLIENT, "nonce": visit.nonce(), "iat": now, "exp": now + 300})
    }

    /// The provider will answer the next code with these claims.
    fn answers(&self, claims: &Value) {
        let token = Rsa::shared(0).sign(&json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}), claims);
        self.harness.keep_secret(token.clone());
        let body = json!({"access_token": "an-access-token-of-corp", "token_type": "Bearer", "id_token": token});
        self.harness.keep_secret("an-access-token-of-corp");
        *self.corp.answer.lock().unwrap() = Some((200, body.to_string()));
    }

    /// The browser comes back with these parameters beside the state.
    async fn back(&self, visit: &mut Visit, parameters: &[(&str, &str)]) -> Answer {
        let state = visit.asked["state"].clone();
        self.back_with(&mut visit.browser, &state, parameters).await
    }

    async fn back_with(&self, browser: &mut Browser, state: &str, parameters: &[(&str, &str)]) -> Answer {
        self.harness.keep_secret("a-code-of-corp");
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("state", state).extend_pairs(parameters).finish();
        browser.open(&self.harness, &format!("/common/provider/callback?{query}")).await
    }

    /// A whole visit of the person whom these claims (over the honest ones) describe.
    async fn sign_in(&self, changes: &Value) -> Answer {
        let mut visit = self.visit().await;
        let mut claims = self.claims(&visit);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.answers(&claims);
        self.back(&mut visit, &[("code", "a-code-of-corp")]).await
    }

    fn last_reason(&self) -> String {
        self.harness.fixture.audit.last().decision.unwrap().because.into_owned()
    }
}

/// A page that tells a person no.
#[track_caller]
fn assert_refused(answer: &Answer, code: u32) {
    assert!(answer.status.is_client_error() && answer.text.contains(&format!("AADSTS{code}")), "{} {}", answer.status, answer.text);
    assert!(answer.hidden("code").is_none() && !answer.headers.contains_key("location"));
}

#[tokio::test]
async fn a_linked_person_signs_in_and_is_the_user_of_the_link() {
    let world = World::new().await;
    let user = world.link().await;
    let mut visit = world.visit().await;
    let asked = |name: &str| visit.asked[name].as_str();
    assert_eq!((asked("response_type"), asked("scope"), asked("client_id")), ("code", "openid", CLIENT));
    assert_eq!(asked("redirect_uri"), "https://localhost:8443/common/provider/callback");
    assert_eq!(asked("code_challenge_method"), "S256");
    let challenge = asked("code_challenge").to_owned();
    world.answers(&world.claims(&visit));
    let sent_on = world.back(&mut visit, &[("code", "a-code-of-corp"), ("iss", ISSUER)]).await;
    let code = sent_on.hidden("code").unwrap_or_else(|| panic!("{}", sent_on.text));
    let (form, authorization, place) = world.corp.forms.lock().unwrap().pop().unwrap();
    assert_eq!(authorization.unwrap(), "Basic a2V5bGVzcythdCtjb3JwOnByb3ZpZGVyLWNsaWVudC1zZWNyZXQlMkIlMkY=");
    assert!(!form.contains("client_secret"), "in the header or in the form, not in both: {form}");
    assert_eq!(place, Place::Named { certificates: Vec::new() });
    let sent: HashMap<String, String> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let proof = keyless_token::pkce::PkceChallenge::parse(&challenge, Some("S256")).unwrap();
    assert_eq!(proof.check(&sent["code_verifier"]), Ok(()));
    let answer = redeem(&world.harness, &code, &[]).await;
    let access = answer.claims("access_token");
    assert_eq!((&access["oid"], &access["upn"], &access["amr"]), (&json!(user), &json!(NAME), &json!(["fed"])));
    assert!(answer.body["refresh_token"].is_string());
}

#[tokio::test]
async fn an_unlinked_person_stays_outside_and_is_told_what_the_operator_does() {
    let world = World::new().await;
    person(&world.harness, false).await;
    let answer = world.sign_in(&json!({"email": NAME, "email_verified": true})).await;
    assert_refused(&answer, 50_020);
    assert!(answer.text.contains(&format!("keyless user link YOUR-NAME '{SUBJECT}'")), "{}", answer.text);
    assert!(world.last_reason().contains(&format!("{ISSUER} proved subject {SUBJECT}")), "{}", world.last_reason());
    assert_eq!(world.harness.fixture.snapshot().users().count(), 1, "nobody is created");
}

#[tokio::test]
async fn a_wrong_nonce_ends_the_sign_in() {
    let world = World::new().await;
    world.link().await;
    let other = world.visit().await;
    for nonce in [json!(other.nonce()), json!(""), json!(null)] {
        assert_refused(&world.sign_in(&json!({"nonce": nonce})).await, 50_008);
        assert!(world.last_reason().contains("nonce"), "{}", world.last_reason());
    }
}

#[tokio::test]
async fn a_state_of_another_browser_or_none_is_refused_before_the_provider_is_asked() {
    let world = World::new().await;
    world.link().await;
    let (mut mine, attackers) = (world.visit().await, world.visit().await);
    let code = [("code", "a-code-of-corp")];
    let longer = format!("{}A", mine.asked["state"]);
    for state in [attackers.asked["state"].clone(), String::new(), "x".to_owned(), longer, mine.nonce().to_owned()] {
        world.answers(&world.claims(&mine));
        assert_refused(&world.back_with(&mut mine.browser, &state, &code).await, 9_002_313);
    }
    let mut without_cookie = Browser::default();
    assert_refused(&world.back_with(&mut without_cookie, &mine.asked["state"], &code).await, 9_002_313);
    world.harness.fixture.clock.advance_secs(901);
    assert_refused(&world.back(&mut mine, &code).await, 9_002_313);
    assert!(world.corp.forms.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_round_ends_in_one_sign_in() {
    let world = World::new().await;
    world.link().await;
    let mut visit = world.visit().await;
    world.answers(&world.claims(&visit));
    assert!(world.back(&mut visit, &[("code", "a-code-of-corp")]).await.hidden("code").is_some());
    // Even of a provider that takes a code twice.
    world.answers(&world.claims(&visit));
    assert_refused(&world.back(&mut visit, &[("code", "a-code-of-corp")]).await, 9_002_313);
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused_before_its_code_is_sent_anywhere() {
    let world = World::new().await;
    world.link().await;
    for issuer in ["https://evil.example", "https://login.corp.example/", "HTTPS://login.corp.example"] {
        let mut visit = world.visit().await;
        assert_refused(&world.back(&mut visit, &[("code", "a-code-of-corp"), ("iss", issuer)]).await, 50_008);
    }
    assert!(world.corp.forms.lock().unwrap().is_empty(), "a code of somebody else is never sent to the provider");
    let strict = World::with(&[], json!({"authorization_response_iss_parameter_supported": true})).await;
    let mut visit = strict.visit().await;
    assert_refused(&strict.back(&mut visit, &[("code", "a-code-of-corp")]).await, 50_008);
    assert!(strict.corp.forms.lock().unwrap().is_empty());
}

#[tokio::test]
async fn id_tokens_of_others_forged_or_outdated_are_refused() {
    let world = World::new().await;
    world.link().await;
    let now = world.harness.fixture.clock.now().unix_secs();
    for changes in [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another program"}),
        json!({"aud": [CLIENT, "another program"]}),
        json!({"azp": "another program"}),
        json!({"exp": now - 61}),
        json!({"iat": now + 120}),
        json!({"sub": ""}),
    ] {
        assert_refused(&world.sign_in(&changes).await, 50_008);
    }
    let mut visit = world.visit().await;
    let forged = Rsa::shared(1).sign(&json!({"alg": "RS256", "kid": "k1"}), &world.claims(&visit));
    *world.corp.answer.lock().unwrap() = Some((200, json!({"id_token": forged}).to_string()));
    assert_refused(&world.back(&mut visit, &[("code", "a-code-of-corp")]).await, 50_008);
}

#[tokio::test]
async fn a_code_that_the_provider_refuses_signs_nobody_in() {
    let world = World::new().await;
    world.link().await;
    let mut visit = world.visit().await;
    *world.corp.answer.lock().unwrap() = Some((400, r#"{"error":"invalid_grant","error_description":"secret words"}"#.into()));
    assert_refused(&world.back(&mut visit, &[("code", "a-code-of-corp")]).await, 50_008);
    assert!(world.last_reason().ends_with("error `invalid_grant`"), "{}", world.last_reason());
    let mut visit = world.visit().await;
    *world.corp.answer.lock().unwrap() = Some((200, r#"{"access_token":"x"}"#.into()));
    assert_refused(&world.back(&mut visit, &[("code", "a-code-of-corp")]).await, 50_008);
    let mut visit = world.visit().await;
    let silent = world.back(&mut visit, &[("code", "a-code-of-corp")]).await;
    assert_eq!(silent.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(silent.text.contains("AADSTS501661"), "{}", silent.text);
}

#[tokio::test]
async fn a_person_who_says_no_at_the_provider_is_told_to_the_program() {
    let world = World::new().await;
    let mut visit = world.visit().await;
    let answer = world.back(&mut visit, &[("error", "access_denied")]).await;
    assert_eq!(answer.hidden("error").as_deref(), Some("access_denied"), "{}", answer.text);
    let mut visit = world.visit().await;
    assert_refused(&world.back(&mut visit, &[("error", "server_error")]).await, 50_008);
}

#[tokio::test]
async fn a_disabled_or_foreign_user_is_refused_and_an_unlinked_one_signed_out() {
    let world = World::new().await;
    let user = world.link().await;
    let code = world.sign_in(&json!({})).await.hidden("code").unwrap();
    let token = refresh_token(&world.harness, &redeem(&world.harness, &code, &[]).await);
    let enabled = Principal::clone(world.harness.fixture.snapshot().principal(user).unwrap());
    world.harness.fixture.put(Principal { enabled: false, ..enabled.clone() }).await;
    assert_refused(&world.sign_in(&json!({})).await, 50_057);
    world.harness.fixture.put(enabled).await;
    world.harness.fixture.clock.advance_secs(5);
    let platform = &world.harness.fixture.platform;
    let ctx = platform.begin(Actor::System("test"));
    unlink_user(platform, &ctx, &keyless_testkit::system().permit("test"), NAME).await.unwrap();
    assert_refused(&world.sign_in(&json!({})).await, 50_020);
    assert_eq!(refresh(&world.harness, &TENANT.to_string(), &token, ARM_SCOPE).await.code(), 50_173);
}

#[tokio::test]
async fn a_verified_address_of_a_named_domain_links_its_user_once() {
    let world = World::with(&["keyless.test"], json!({})).await;
    let user = person(&world.harness, false).await;
    for changes in [
        json!({"email": NAME}),
        json!({"email": NAME, "email_verified": false}),
        json!({"email": NAME, "email_verified": "true"}),
        json!({"email": "ada@keyless.test.evil.example", "email_verified": true}),
        json!({"email": "\u{212a}@keyless.test", "email_verified": true}),
        json!({"email": "nobody@keyless.test", "email_verified": true}),
    ] {
        assert_refused(&world.sign_in(&changes).await, 50_020);
    }
    let verified = json!({"email": "ADA@keyless.TEST", "email_verified": true});
    assert!(world.sign_in(&verified).await.hidden("code").is_some());
    let linked = world.harness.fixture.snapshot().user(user).unwrap().external.clone();
    assert_eq!(linked, Some((ISSUER.to_owned(), SUBJECT.to_owned())));
    assert!(world.sign_in(&json!({"email": "married@keyless.test", "email_verified": true})).await.hidden("code").is_some());
    // Somebody else got the address: the account stays with the subject.
    let successor = json!({"sub": "another", "email": NAME, "email_verified": true});
    assert_refused(&world.sign_in(&successor).await, 50_020);
}

#[tokio::test]
async fn one_subject_is_linked_to_one_user() {
    let world = World::new().await;
    world.link().await;
    let platform = &world.harness.fixture.platform;
    let ctx = platform.begin(Actor::System("test"));
    let permit = keyless_testkit::system().permit("test");
    let name = "eve@keyless.test";
    let eve = NewUser { tenant: TENANT, user_principal_name: name.into(), display_name: "Eve".into(), password: None, must_change: false };
    add_user(platform, &ctx, &permit, eve).await.unwrap();
    let link = |name, subject| link_user(platform, &ctx, &permit, name, ISSUER, subject);
    assert!(matches!(link(name, SUBJECT).await, Err(AccountError::SubjectTaken)));
    assert!(matches!(link(NAME, "another").await, Err(AccountError::Linked)));
    assert!(matches!(link("nobody@keyless.test", "another").await, Err(AccountError::Unknown)));
    assert!(matches!(link(name, "").await, Err(AccountError::Subject)));
    assert!(link(name, "another").await.is_ok());
    let mut browser = Browser::default();
    browser.open(&world.harness, &authorize(&[])).await;
    assert!(browser.sign_in(&world.harness, name, PASSWORD).await.text.contains("is wrong"), "there is no password to guess");
}

#[tokio::test]
async fn a_flood_of_answers_is_stopped_before_it_reaches_the_provider() {
    let world = World::new().await;
    let mut visit = world.visit().await;
    for _ in 0..40 {
        world.back(&mut visit, &[("code", "a-code-of-corp")]).await;
    }
    assert_eq!(world.corp.forms.lock().unwrap().len(), 30);
}

#[tokio::test]
async fn without_a_provider_there_is_nothing_to_press() {
    let harness = Harness::new().await;
    let mut browser = Browser::default();
    assert!(!browser.open(&harness, &authorize(&[])).await.text.contains("/common/provider"));
    for path in ["/common/provider?ticket=x", "/common/provider/callback?state=x&code=y"] {
        assert_eq!(browser.open(&harness, path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}
