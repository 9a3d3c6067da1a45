//! An application signs with its certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyless_model::Clock as _;
use keyless_model::entity::{Application, AssertionAlgorithm, CertificateCredential};
use keyless_testkit::{APP_SECRET, OTHER_TENANT, TENANT};
use keyless_web::Peer;
use serde_json::{Value, json};

use super::forge::{Rsa, b64, thumbprint};
use super::harness::{Answer, Harness, form};
use crate::{AssertionAudience, AssertionReuse, Config, FetchError, HttpFetch, Place};

mod share;

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Counts what is asked of it.
#[derive(Debug, Default)]
struct CountedWeb(AtomicUsize);

#[async_trait::async_trait]
impl HttpFetch for CountedWeb {
    async fn get(&self, _: &http::Uri, _: &Place) -> Result<Vec<u8>, FetchError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(FetchError::Resolve("nobody".into()))
    }
}

struct World {
    harness: Harness,
    certificate: CertificateCredential,
}

impl World {
    async fn new() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let harness = Harness::with(config).await;
        let now = harness.fixture.clock.now();
        let certificate = Rsa::shared(0).certificate(now.plus_secs(-86_400), now.plus_secs(86_400));
        let mut app = Application::clone(harness.fixture.snapshot().application_of(harness.fixture.app.client_id).unwrap());
        app.certificates = vec![certificate.clone()];
        harness.fixture.put(app).await;
        Self { harness, certificate }
    }

    /// Another node over the same store, or this one after a restart.
    async fn another_node(&self, config: Config) -> Self {
        let harness = Harness::over(self.harness.fixture.another_node().await, config);
        Self { harness, certificate: self.certificate.clone() }
    }

    fn header(&self) -> Value {
        json!({"alg": "RS256", "typ": "JWT", "x5t#S256": thumbprint(&self.certificate)})
    }

    fn payload(&self, jti: &str) -> Value {
        let client_id = self.harness.fixture.app.client_id;
        let now = self.harness.fixture.clock.now().unix_secs();
        let audience = format!("https://localhost:8443/{TENANT}/oauth2/v2.0/token");
        json!({"aud": audience, "iss": client_id, "sub": client_id, "jti": jti, "nbf": now, "iat": now, "exp": now + 600})
    }

    async fn send(&self, assertion: &str) -> Answer {
        self.send_from(assertion, 1).await
    }

    async fn send_from(&self, assertion: &str, host: u8) -> Answer {
        self.harness.keep_secret(assertion);
        self.harness.send(self.request(assertion, host)).await
    }

    /// Brings it for a client of this id.
    async fn send_as(&self, client_id: &str, assertion: &str) -> Answer {
        self.harness.keep_secret(assertion);
        self.harness.send(Self::request_of(client_id, assertion, 1)).await
    }

    fn request(&self, assertion: &str, host: u8) -> http::Request<axum::body::Body> {
        Self::request_of(&self.harness.fixture.app.client_id.to_string(), assertion, host)
    }

    fn request_of(client_id: &str, assertion: &str, host: u8) -> http::Request<axum::body::Body> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "client_credentials"),
                ("client_id", client_id),
                ("client_assertion_type", JWT_BEARER),
                ("client_assertion", assertion),
                ("scope", SCOPE),
            ])
            .finish();
        let mut request = form(&format!("/{TENANT}/oauth2/v2.0/token")).body(body.into()).unwrap();
        request.extensions_mut().insert(Peer(SocketAddr::from(([192, 0, 2, host], 4000))));
        request
    }

    async fn with_header(&self, edit: impl FnOnce(&mut Value)) -> Answer {
        let mut header = self.header();
        edit(&mut header);
        self.send(&Rsa::shared(0).sign(&header, &self.payload("jti-1"))).await
    }

    async fn with_claim(&self, name: &str, value: Value) -> Answer {
        let mut payload = self.payload(&format!("jti-{name}-{value}"));
        match value {
            Value::Null => drop(payload.as_object_mut().unwrap().remove(name)),
            value => payload[name] = value,
        }
        self.send(&Rsa::shared(0).sign(&self.header(), &payload)).await
    }
}

#[track_caller]
fn refused(answer: &Answer, what: &str) {
    assert_eq!((answer.status.as_u16(), answer.error()), (401, "invalid_client"), "{what}: {}", answer.text);
    answer.code();
}

#[tokio::test]
async fn the_assertions_of_azures_libraries_are_accepted() {
    let world = World::new().await;
    let certificate = keyless_token::Certificate::read(world.certificate.der.as_bytes()).unwrap();
    let padded = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE, certificate.sha1());
    let standard = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, certificate.sha1());
    let now = world.harness.fixture.clock.now().unix_secs();
    let mut python = world.payload("python");
    python["exp"] = json!(now as f64 + 600.03);
    python["iat"] = json!(now as f64 + 0.03);
    python.as_object_mut().unwrap().remove("nbf");
    for (header, payload) in [
        (json!({"alg": "RS256", "typ": "JWT", "x5t": padded}), python),
        (json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(&world.certificate)}), world.payload("javascript")),
        (json!({"alg": "RS256", "typ": "JWT", "x5t": standard}), world.payload("rust")),
    ] {
        let answer = world.send(&Rsa::shared(0).sign(&header, &payload)).await;
        assert_eq!(answer.status, 200, "{header} {}", answer.text);
        assert_eq!(answer.claims("access_token")["appidacr"], "2");
    }
    let detail = world.harness.fixture.audit.last().token.unwrap();
    assert_eq!(detail.credential, "certificate_endpoint_audience", "the audit tells who does not name the issuer (case 37)");
}

#[tokio::test]
async fn unsigned_and_mislabelled_assertions_are_refused_n1_n2_n3() {
    let world = World::new().await;
    for alg in [json!("none"), json!("None"), json!("NONE"), json!("nOnE"), json!(null), json!(1), json!(["RS256"]), json!("HS256")] {
        refused(&world.with_header(|header| header["alg"] = alg.clone()).await, &alg.to_string());
        let unsigned = format!("{}.{}.", b64(json!({"alg": alg}).to_string()), b64(world.payload("x").to_string()));
        refused(&world.send(&unsigned).await, &alg.to_string());
    }
    refused(&world.with_header(|header| drop(header.as_object_mut().unwrap().remove("alg"))).await, "no alg");
}

#[tokio::test]
async fn a_certificate_takes_the_algorithms_that_were_registered_with_it_n7() {
    let world = World::new().await;
    let sign = |algorithm: &str| {
        let mut header = world.header();
        header["alg"] = json!(algorithm);
        Rsa::shared(0).sign(&header, &world.payload(&format!("{algorithm}-{}", world.harness.fixture.audit.events().len())))
    };
    assert_eq!(world.send(&sign("PS256")).await.status, 200, "both, when nothing was said");
    let mut app = Application::clone(world.harness.fixture.snapshot().application_of(world.harness.fixture.app.client_id).unwrap());
    app.certificates[0].algorithms = vec![AssertionAlgorithm::RS256];
    world.harness.fixture.put(app).await;
    assert_eq!(world.send(&sign("RS256")).await.status, 200);
    refused(&world.send(&sign("PS256")).await, "PS256 where RS256 alone was registered");
}

#[tokio::test]
async fn keys_that_travel_with_the_assertion_are_ignored_n14_n15_n16() {
    let web = Arc::new(CountedWeb::default());
    let world = World::with(Config { fetch: Some(Arc::clone(&web) as _), ..Config::default() }).await;
    let attacker = Rsa::shared(1);
    let foreign = attacker.certificate(world.certificate.starts, world.certificate.expires);
    for (name, value) in [
        ("jwk", attacker.jwk("x")),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!([foreign.der])),
    ] {
        let mut header = world.header();
        header[name] = value;
        refused(&world.send(&attacker.sign(&header, &world.payload("x"))).await, name);
    }
    let mut header = world.header();
    header["x5t#S256"] = json!(thumbprint(&foreign));
    let answer = world.send(&attacker.sign(&header, &world.payload("x"))).await;
    assert_eq!(answer.code(), 700_027, "a certificate that nobody registered");
    assert_eq!(web.0.load(Ordering::SeqCst), 0, "nothing was fetched");
}

#[tokio::test]
async fn headers_and_forms_that_ask_for_more_are_refused_n20_n21_n24_n25() {
    let world = World::new().await;
    refused(&world.with_header(|header| header["crit"] = json!(["exp"])).await, "crit");
    refused(&world.with_header(|header| header["b64"] = json!(false)).await, "b64");
    refused(&world.with_header(|header| header["typ"] = json!("at+jwt")).await, "typ");
    let good = Rsa::shared(0).sign(&world.header(), &world.payload("form"));
    for bad in [format!("{good}."), format!("{good}.x"), good.replace('.', ".."), good[..good.len() - 2].to_owned(), format!("{good}+")] {
        refused(&world.send(&bad).await, "form");
    }
    // `azure.identity.aio` keeps the padding of its segments; the `jti` makes both spellings one assertion.
    let padded = Rsa::shared(0).sign(&world.header(), &world.payload("padded")) + "==";
    assert_eq!(world.send(&padded).await.status, 200);
    let twice = format!(r#"{{"alg":"RS256","alg":"RS256","x5t#S256":"{}"}}"#, thumbprint(&world.certificate));
    let duplicated = format!("{}.{}", b64(twice), good.split_once('.').unwrap().1);
    refused(&world.send(&duplicated).await, "duplicate header members (case 22)");
    assert_eq!(world.send(&good).await.status, 200);
}

#[tokio::test]
async fn assertions_outside_their_time_are_refused_n29_to_n34() {
    let world = World::new().await;
    let now = world.harness.fixture.clock.now().unix_secs();
    refused(&world.with_claim("exp", Value::Null).await, "no exp");
    assert_eq!(world.with_claim("exp", json!(now - 301)).await.code(), 700_024);
    assert_eq!(world.with_claim("nbf", json!(now + 301)).await.code(), 700_024);
    assert_eq!(world.with_claim("iat", json!(now + 301)).await.code(), 700_024);
    refused(&world.with_claim("exp", json!("9999999999")).await, "text");
    refused(&world.with_claim("exp", json!(now + 86_400)).await, "too long a life");
    assert_eq!(world.with_claim("exp", json!(now - 299)).await.status, 200, "within the leeway");
}

#[tokio::test]
async fn assertions_for_others_are_refused_n35_n36_n38() {
    let world = World::new().await;
    let endpoint = format!("https://localhost:8443/{TENANT}/oauth2/v2.0/token");
    for audience in [
        Value::Null,
        json!([]),
        json!(""),
        json!([endpoint, "https://evil.example"]),
        json!(format!("https://localhost:8443/{OTHER_TENANT}/v2.0")),
        json!(format!("https://localhost:8443/{OTHER_TENANT}/oauth2/v2.0/token")),
        json!("https://localhost:8443"),
        json!(format!("{endpoint}/")),
    ] {
        refused(&world.with_claim("aud", audience.clone()).await, &audience.to_string());
    }
}

#[tokio::test]
async fn the_strict_policy_takes_the_issuer_as_audience_only_n37() {
    let world = World::with(Config { assertion_audience: AssertionAudience::Issuer, ..Config::default() }).await;
    refused(&world.send(&Rsa::shared(0).sign(&world.header(), &world.payload("endpoint"))).await, "endpoint");
    let answer = world.with_claim("aud", json!(format!("https://localhost:8443/{TENANT}/v2.0"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(world.harness.fixture.audit.last().token.unwrap().credential, "certificate");
}

#[tokio::test]
async fn an_assertion_that_names_someone_else_is_never_the_clients_own_n39() {
    let world = World::new().await;
    let other = world.harness.fixture.foreign_app.client_id;
    for name in ["iss", "sub"] {
        // Judged as a federated token then, and no credential names that issuer.
        let answer = world.with_claim(name, json!(other)).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (700_211, 400), "{name}");
    }
}

#[tokio::test]
async fn a_replayed_assertion_is_refused_n40() {
    let world = World::new().await;
    let assertion = Rsa::shared(0).sign(&world.header(), &world.payload("once"));
    assert_eq!(world.send_from(&assertion, 1).await.status, 200);
    assert_eq!(world.send_from(&assertion, 1).await.status, 200, "MSAL keeps an assertion for nine minutes");
    refused(&world.send_from(&assertion, 2).await, "from another address");
    let strict = World::with(Config { assertion_reuse: AssertionReuse::Never, ..Config::default() }).await;
    let assertion = Rsa::shared(0).sign(&strict.header(), &strict.payload("once"));
    assert_eq!(strict.send(&assertion).await.status, 200);
    refused(&strict.send(&assertion).await, "a second time");
    refused(&strict.with_claim("jti", Value::Null).await, "without a jti nobody could tell");
}

#[tokio::test]
async fn of_many_uses_at_once_over_http_one_counts_n40_n41() {
    let config = Config { assertion_reuse: AssertionReuse::Never, failures_per_minute: u32::MAX, ..Config::default() };
    let world = World::with(config.clone()).await;
    let other = world.another_node(config).await;
    let assertion = Rsa::shared(0).sign(&world.header(), &world.payload("once"));
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..40 {
        let node = if n % 2 == 0 { &world } else { &other };
        calls.spawn(node.harness.answer(node.request(&assertion, 1)));
    }
    let answers = calls.join_all().await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(accepted, 1, "{:?}", answers.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>());
    answers.iter().filter(|answer| answer.status != 200).for_each(|answer| refused(answer, "at the same time"));
}

/// One store under two nodes is what a restart looks like too: neither shares the other's memory.
#[tokio::test]
async fn an_assertion_used_at_one_node_is_refused_at_the_next_and_after_a_restart_n41_n42() {
    for config in [Config::default(), Config { assertion_reuse: AssertionReuse::Never, ..Config::default() }] {
        let world = World::with(config.clone()).await;
        let assertion = Rsa::shared(0).sign(&world.header(), &world.payload("once"));
        assert_eq!(world.send_from(&assertion, 1).await.status, 200);
        let other = world.another_node(config).await;
        refused(&other.send_from(&assertion, 2).await, "at the other node");
        let fresh = Rsa::shared(0).sign(&other.header(), &other.payload("another"));
        assert_eq!(other.send_from(&fresh, 2).await.status, 200);
        refused(&world.send_from(&fresh, 1).await, "and the other way round");
    }
}

/// Fault F7: 200 used assertions, the clock an hour back, before and after the memory was cleared.
#[tokio::test]
async fn a_clock_that_steps_back_lets_no_replay_in_f7() {
    let world = World::with(Config { assertion_reuse: AssertionReuse::Never, failures_per_minute: u32::MAX, ..Config::default() }).await;
    let clock = &world.harness.fixture.clock;
    let used: Vec<String> = (0..200).map(|n| Rsa::shared(0).sign(&world.header(), &world.payload(&format!("jti-{n}")))).collect();
    for assertion in &used {
        assert_eq!(world.send(assertion).await.status, 200);
    }
    let mut accepted = 0;
    // Live; when one that comes later has had them cleared away; and an hour back from then.
    for (step, newcomer) in [(-60, None), (60 + 3600, Some("later")), (-3600, None)] {
        clock.advance_secs(step);
        if let Some(jti) = newcomer {
            assert_eq!(world.send(&Rsa::shared(0).sign(&world.header(), &world.payload(jti))).await.status, 200);
        }
        for assertion in &used {
            accepted += u32::from(world.send(assertion).await.status == 200);
        }
    }
    assert_eq!(accepted, 0, "replays accepted");
    // What expires no later than those that were forgotten cannot be told from them; what expires later can.
    clock.advance_secs(1);
    assert_eq!(world.send(&Rsa::shared(0).sign(&world.header(), &world.payload("new"))).await.status, 200);
}

#[tokio::test]
async fn without_the_store_no_assertion_is_taken_and_secrets_still_are() {
    let world = World::new().await;
    world.harness.fixture.store.close();
    let answer = world.send(&Rsa::shared(0).sign(&world.header(), &world.payload("away"))).await;
    assert_eq!((answer.status.as_u16(), answer.headers["retry-after"].to_str().unwrap()), (503, "5"), "{}", answer.text);
    let client_id = world.harness.fixture.app.client_id.to_string();
    let fields = [("grant_type", "client_credentials"), ("client_id", client_id.as_str()), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    assert_eq!(world.harness.post(&format!("/{TENANT}/oauth2/v2.0/token"), &fields).await.status, 200);
}

#[tokio::test]
async fn the_assertion_type_must_be_said_n43() {
    let world = World::new().await;
    let assertion = Rsa::shared(0).sign(&world.header(), &world.payload("type"));
    let client_id = world.harness.fixture.app.client_id.to_string();
    for kind in ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer"] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_assertion_type", kind),
            ("client_assertion", assertion.as_str()),
            ("scope", SCOPE),
        ];
        let answer = world.harness.post(&format!("/{TENANT}/oauth2/v2.0/token"), &fields).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (9_002_313, 400, "invalid_request"));
    }
}

#[tokio::test]
async fn our_own_access_token_is_no_assertion_n45() {
    let world = World::new().await;
    let client_id = world.harness.fixture.app.client_id.to_string();
    let fields = [("grant_type", "client_credentials"), ("client_id", client_id.as_str()), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    let token = world.harness.post(&format!("/{TENANT}/oauth2/v2.0/token"), &fields).await.body["access_token"].clone();
    let answer = world.send(token.as_str().unwrap()).await;
    assert_eq!((answer.code(), answer.status.as_u16()), (700_211, 400));
}

#[tokio::test]
async fn a_removed_or_expired_certificate_signs_no_more_n46() {
    let world = World::new().await;
    let mut app = Application::clone(world.harness.fixture.snapshot().application_of(world.harness.fixture.app.client_id).unwrap());
    world.harness.fixture.clock.advance_secs(86_401);
    let late = world.send(&Rsa::shared(0).sign(&world.header(), &world.payload("late"))).await;
    assert_eq!(late.code(), 700_027);
    assert!(late.text.contains("The key used is expired"), "{}", late.text);
    world.harness.fixture.clock.advance_secs(-86_000);
    app.certificates[0].expires = world.harness.fixture.clock.now();
    world.harness.fixture.put(app.clone()).await;
    assert_eq!(world.send(&Rsa::shared(0).sign(&world.header(), &world.payload("ended"))).await.code(), 700_027);
    app.certificates.clear();
    world.harness.fixture.put(app).await;
    let removed = world.send(&Rsa::shared(0).sign(&world.header(), &world.payload("removed"))).await;
    assert!(removed.text.contains("The key was not found"), "{}", removed.text);
}

#[tokio::test]
async fn guessing_signatures_ends_in_429_and_stops_nobody_else_n73() {
    let world = World::new().await;
    let mut last = 0;
    for n in 0..80 {
        last = world.send(&Rsa::shared(1).sign(&world.header(), &world.payload(&n.to_string()))).await.status.as_u16();
    }
    assert_eq!(last, 429);
    assert_eq!(world.send(&Rsa::shared(0).sign(&world.header(), &world.payload("right"))).await.status, 200);
}
