//! A token of an external issuer stands in for a credential: CI jobs, Kubernetes workloads, and this system's own identities.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Uri;
use keyless_model::entity::{AssertionAlgorithm, FederatedCredential, FederatedOwner, Principal, SubjectMatch};
use keyless_model::{Actor, Clock as _, CredentialId};
use keyless_testkit::TENANT;
use keyless_token::TokenSubject;
use serde_json::{Value, json};

use super::forge::Rsa;
use super::harness::{Answer, Harness};
use crate::{Config, FetchError, HttpFetch, IssueRequest, Issuer, Place};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:my-org/my-repo:ref:refs/heads/main";
const AUDIENCE: &str = "api://AzureADTokenExchange";
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The internet, as far as it exists.
#[derive(Debug, Default)]
struct Internet {
    documents: Mutex<HashMap<String, String>>,
    fetches: AtomicUsize,
}

#[async_trait]
impl HttpFetch for Internet {
    async fn get(&self, url: &Uri, _: &Place) -> Result<Vec<u8>, FetchError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let found = self.documents.lock().unwrap().get(&url.to_string()).cloned();
        found.map(String::into_bytes).ok_or(FetchError::Status { host: "x".into(), status: 500 })
    }
}

impl Internet {
    fn publish(&self, issuer: &str, keys: &[Value]) {
        let mut documents = self.documents.lock().unwrap();
        let discovery = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/.well-known/jwks")});
        documents.insert(format!("{issuer}/.well-known/openid-configuration"), discovery.to_string());
        documents.insert(format!("{issuer}/.well-known/jwks"), json!({ "keys": keys }).to_string());
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

struct World {
    harness: Harness,
    internet: Arc<Internet>,
}

impl World {
    /// The identity `demo-app` trusts one repository.
    async fn new() -> Self {
        let world = Self::with(Config::default()).await;
        world.trust(1, ISSUER, SubjectMatch::Exact(SUBJECT.into())).await;
        world
    }

    async fn with(config: Config) -> Self {
        let internet = Arc::new(Internet::default());
        internet.publish(ISSUER, &[Rsa::shared(0).jwk("k1")]);
        let harness = Harness::with(Config { fetch: Some(Arc::clone(&internet) as _), ..config }).await;
        Self { harness, internet }
    }

    fn credential(&self, id: u128, issuer: &str, subject: SubjectMatch) -> FederatedCredential {
        let identity = self.harness.fixture.snapshot().identity(self.harness.fixture.demo_app.client_id).unwrap().scope.clone();
        FederatedCredential {
            id: CredentialId::from_u128(id),
            owner: FederatedOwner::Identity(identity),
            name: format!("ci-{id}"),
            issuer: issuer.into(),
            subject,
            audience: AUDIENCE.into(),
            description: None,
            created: self.harness.fixture.clock.now(),
            algorithms: AssertionAlgorithm::of_issuers(),
        }
    }

    async fn trust(&self, id: u128, issuer: &str, subject: SubjectMatch) {
        self.harness.fixture.put(self.credential(id, issuer, subject)).await;
    }

    fn payload(&self) -> Value {
        let now = self.harness.fixture.clock.now().unix_secs();
        json!({"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "jti": "j1", "nbf": now - 300, "iat": now, "exp": now + 300})
    }

    fn token(&self, payload: &Value) -> String {
        Rsa::shared(0).sign(&json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}), payload)
    }

    async fn exchange(&self, assertion: &str) -> Answer {
        self.exchange_as(&self.harness.fixture.demo_app.client_id.to_string(), assertion).await
    }

    async fn exchange_as(&self, client_id: &str, assertion: &str) -> Answer {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
            ("scope", SCOPE),
        ];
        self.harness.post(&format!("/{TENANT}/oauth2/v2.0/token"), &fields).await
    }

    async fn with_claim(&self, name: &str, value: Value) -> Answer {
        let mut payload = self.payload();
        payload[name] = value;
        self.exchange(&self.token(&payload)).await
    }
}

#[tokio::test]
async fn a_ci_jobs_token_is_exchanged_for_an_identitys() {
    let world = World::new().await;
    let answer = world.exchange(&world.token(&world.payload())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let claims = answer.claims("access_token");
    assert_eq!(claims["oid"], json!(world.harness.fixture.demo_app.object_id));
    assert!(claims["xms_mirid"].as_str().unwrap().ends_with("/userAssignedIdentities/demo-app"), "{claims}");
    let because = world.harness.fixture.audit.last().decision.unwrap().because;
    assert!(because.contains(ISSUER) && because.ends_with(SUBJECT), "the audit names the job: {because}");
    let detail = world.harness.fixture.audit.last().token.unwrap();
    assert_eq!((&*detail.grant, &*detail.credential), ("client_credentials", "federated"));
    assert_eq!(world.internet.fetches(), 2, "discovery and keys, once");
    assert_eq!(world.exchange(&world.token(&world.payload())).await.status, 200, "a job may send its token again");
    assert_eq!(world.internet.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_nobody_registered_is_never_asked_n47() {
    let world = World::new().await;
    let answer = world.with_claim("iss", json!("http://169.254.169.254/latest")).await;
    assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (700_211, 400, "invalid_request"));
    assert_eq!(world.internet.fetches(), 0);
}

#[tokio::test]
async fn near_misses_do_not_match_n48_n49_n50() {
    let world = World::new().await;
    for issuer in [format!("{ISSUER}/"), ISSUER.to_uppercase(), format!(" {ISSUER}"), ISSUER.replace("https", "http")] {
        let answer = world.with_claim("iss", json!(issuer)).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (700_211, 400), "{issuer}");
    }
    assert_eq!(world.internet.fetches(), 0);
    let longer = format!("{SUBJECT}2");
    for subject in [&SUBJECT[..SUBJECT.len() - 1], &longer, &SUBJECT.replace(':', "%3A"), &format!("{SUBJECT} ")] {
        let answer = world.with_claim("sub", json!(subject)).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (700_213, 400, "invalid_request"), "{subject}");
    }
    assert_eq!(world.with_claim("sub", json!(SUBJECT.to_uppercase())).await.code(), 7_002_138);
    for audience in [json!("https://localhost:8443"), json!([AUDIENCE, "https://evil.example"]), json!(AUDIENCE.to_lowercase())] {
        assert_eq!(world.with_claim("aud", audience.clone()).await.code(), 700_212, "{audience}");
    }
}

#[tokio::test]
async fn the_same_workload_of_another_cluster_does_not_match_n51() {
    let world = World::new().await;
    let (ours, theirs) = ("https://oidc.cluster-a.example", "https://oidc.cluster-b.example");
    let account = "system:serviceaccount:prod:api";
    world.internet.publish(theirs, &[Rsa::shared(0).jwk("k1")]);
    world.trust(2, ours, SubjectMatch::Exact(account.into())).await;
    let mut payload = world.payload();
    payload["iss"] = json!(theirs);
    payload["sub"] = json!(account);
    assert_eq!(world.exchange(&world.token(&payload)).await.code(), 700_211);
}

#[tokio::test]
async fn signatures_that_were_not_asked_for_are_refused_n52() {
    let world = World::new().await;
    for alg in ["PS256", "HS256", "ES256", "none"] {
        let token = Rsa::shared(0).sign(&json!({"alg": alg, "kid": "k1"}), &world.payload());
        let answer = world.exchange(&token).await;
        assert_eq!((answer.status.as_u16(), answer.error()), (401, "invalid_client"), "{alg}");
    }
    let mut credential = world.credential(1, ISSUER, SubjectMatch::Exact(SUBJECT.into()));
    credential.algorithms.push(AssertionAlgorithm::PS256);
    world.harness.fixture.put(credential).await;
    let token = Rsa::shared(0).sign(&json!({"alg": "PS256", "kid": "k1"}), &world.payload());
    assert_eq!(world.exchange(&token).await.status, 200, "unless the credential says so");
}

#[tokio::test]
async fn forged_and_outdated_external_tokens_are_refused() {
    let world = World::new().await;
    let now = world.harness.fixture.clock.now().unix_secs();
    let forged = Rsa::shared(1).sign(&json!({"alg": "RS256", "kid": "k1"}), &world.payload());
    assert_eq!(world.exchange(&forged).await.code(), 700_027);
    let unknown = Rsa::shared(0).sign(&json!({"alg": "RS256", "kid": "k9"}), &world.payload());
    assert_eq!(world.exchange(&unknown).await.code(), 700_027);
    assert_eq!(world.with_claim("exp", json!(now - 301)).await.code(), 700_024);
    assert_eq!(world.with_claim("exp", json!(now + 2 * 86_400)).await.status.as_u16(), 401);
    let no_kid = Rsa::shared(0).sign(&json!({"alg": "RS256"}), &world.payload());
    assert_eq!(world.exchange(&no_kid).await.status.as_u16(), 401);
}

#[tokio::test]
async fn an_issuer_that_is_away_means_try_again_not_wrong_n58_n59() {
    let world = World::new().await;
    world.internet.documents.lock().unwrap().clear();
    let answer = world.exchange(&world.token(&world.payload())).await;
    assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (501_661, 503, "temporarily_unavailable"));
    assert_eq!(answer.headers["retry-after"], "5");
}

#[tokio::test]
async fn new_material_under_an_old_name_is_fetched_once_n62() {
    let world = World::new().await;
    assert_eq!(world.exchange(&world.token(&world.payload())).await.status, 200);
    world.internet.publish(ISSUER, &[Rsa::shared(1).jwk("k1")]);
    world.harness.fixture.clock.advance_secs(31);
    let token = Rsa::shared(1).sign(&json!({"alg": "RS256", "kid": "k1"}), &world.payload());
    assert_eq!(world.exchange(&token).await.status, 200);
    let before = world.internet.fetches();
    let forged = Rsa::shared(0).sign(&json!({"alg": "RS256", "kid": "k1"}), &world.payload());
    for _ in 0..20 {
        assert_eq!(world.exchange(&forged).await.code(), 700_027);
    }
    assert_eq!(world.internet.fetches(), before, "forgeries cause no fetch within the cool-down");
}

#[tokio::test]
async fn a_deleted_credential_or_identity_exchanges_nothing_n65_n66() {
    let world = World::new().await;
    assert_eq!(world.exchange(&world.token(&world.payload())).await.status, 200);
    let credential = world.credential(1, ISSUER, SubjectMatch::Exact(SUBJECT.into()));
    world.harness.fixture.delete(credential.clone()).await;
    assert_eq!(world.exchange(&world.token(&world.payload())).await.code(), 700_211);
    world.harness.fixture.put(credential).await;
    let identity = world.harness.fixture.snapshot().identity(world.harness.fixture.demo_app.client_id).unwrap().as_ref().clone();
    world.harness.fixture.delete(identity).await;
    assert_eq!(world.exchange(&world.token(&world.payload())).await.code(), 700_016);
}

#[tokio::test]
async fn an_expression_matches_what_it_says_and_nothing_more_n67() {
    let world = World::with(Config::default()).await;
    let expression = "claims['sub'] matches 'repo:my-org/*:ref:refs/heads/main'";
    world.trust(1, ISSUER, SubjectMatch::Expression(expression.into())).await;
    assert_eq!(world.exchange(&world.token(&world.payload())).await.status, 200);
    assert_eq!(world.with_claim("sub", json!("repo:my-org2/x:ref:refs/heads/main")).await.code(), 700_213);
    // A pattern that matches everything cannot be made through the control plane; found in the store, it matches nothing.
    world.trust(1, ISSUER, SubjectMatch::Expression("claims['sub'] matches '*'".into())).await;
    assert_eq!(world.exchange(&world.token(&world.payload())).await.code(), 700_213);
}

#[tokio::test]
async fn an_application_trusts_for_itself_only() {
    let world = World::with(Config::default()).await;
    let app = world.harness.fixture.app;
    let object = world.harness.fixture.snapshot().application_of(app.client_id).unwrap().id;
    let mut credential = world.credential(1, ISSUER, SubjectMatch::Exact(SUBJECT.into()));
    credential.owner = FederatedOwner::Application(object);
    world.harness.fixture.put(credential).await;
    let token = world.token(&world.payload());
    let answer = world.exchange_as(&app.client_id.to_string(), &token).await;
    assert_eq!(answer.claims("access_token")["oid"], json!(app.object_id));
    assert_eq!(world.exchange(&token).await.code(), 700_211, "the identity trusts nobody");
    let system_assigned = world.harness.fixture.host_identity.client_id.to_string();
    assert_eq!(world.exchange_as(&system_assigned, &token).await.code(), 700_016);
}

#[tokio::test]
async fn an_identity_of_this_system_speaks_for_an_application_without_a_fetch() {
    let world = World::with(Config::default()).await;
    let (app, identity) = (world.harness.fixture.app, world.harness.fixture.demo_app);
    let own = format!("https://localhost:8443/{TENANT}/v2.0");
    let mut credential = world.credential(1, &own, SubjectMatch::Exact(identity.object_id.to_string()));
    credential.owner = FederatedOwner::Application(world.harness.fixture.snapshot().application_of(app.client_id).unwrap().id);
    world.harness.fixture.put(credential).await;
    let issue = |audience: &str| {
        let platform = &world.harness.fixture.platform;
        let (client_id, object_id) = (identity.client_id, identity.object_id);
        let subject = TokenSubject::ManagedIdentity { client_id, object_id, resource_id: "/x".into(), host: None };
        let request = IssueRequest::new(TENANT, audience, subject, 3600, "managed_identity", "imds");
        let issuer = Issuer::new(platform.clone(), &Config::default().federation_audiences);
        issuer.issue(&platform.begin(Actor::Anonymous), request).unwrap().token.expose().clone()
    };
    let token = issue(AUDIENCE);
    let answer = world.exchange_as(&app.client_id.to_string(), &token).await;
    assert_eq!(answer.claims("access_token")["oid"], json!(app.object_id));
    assert_eq!(world.internet.fetches(), 0);
    // An access token for a resource is none for an exchange.
    assert_eq!(world.exchange_as(&app.client_id.to_string(), &issue("https://ai.azure.com")).await.code(), 700_211);
    let mut principal = Principal::clone(world.harness.fixture.snapshot().principal(identity.object_id).unwrap());
    principal.enabled = false;
    world.harness.fixture.put(principal).await;
    assert_eq!(world.exchange_as(&app.client_id.to_string(), &token).await.code(), 7_000_112, "its own identity is disabled");
}

#[tokio::test]
async fn an_access_token_or_id_token_of_this_system_is_no_credential_i9_n45() {
    let world = World::with(Config::default()).await;
    let fixture = &world.harness.fixture;
    let (app, identity) = (fixture.app, fixture.demo_app);
    let own = format!("https://localhost:8443/{TENANT}/v2.0");
    let audience = app.client_id.to_string();
    // The widest trust that could be given: this system's issuer, the very subject, and the application's own id as the audience.
    let mut credential = world.credential(1, &own, SubjectMatch::Exact(identity.object_id.to_string()));
    credential.owner = FederatedOwner::Application(fixture.snapshot().application_of(app.client_id).unwrap().id);
    credential.audience.clone_from(&audience);
    fixture.put(credential).await;
    let (client_id, object_id) = (identity.client_id, identity.object_id);
    let subject = TokenSubject::ManagedIdentity { client_id, object_id, resource_id: "/x".into(), host: None };
    let request = IssueRequest::new(TENANT, audience.as_str(), subject, 3600, "managed_identity", "imds");
    let issued = Issuer::new(fixture.platform.clone(), &[]).issue(&fixture.platform.begin(Actor::Anonymous), request).unwrap();
    let access = issued.token.expose().clone();
    // The same without what tells an access token apart: an id token says no more than this.
    let id_token = {
        let (now, keys) = (fixture.clock.now().unix_secs(), fixture.platform.keyring.at(&fixture.snapshot()).unwrap());
        let claims = json!({"iss": own, "sub": object_id, "oid": object_id, "tid": TENANT, "aud": audience, "ver": "2.0", "nonce": "n",
            "iat": now, "nbf": now, "exp": now + 600, "uti": "u"});
        let signer = keys.signer(keyless_model::entity::SigningAlgorithm::RS256).unwrap();
        signer.sign(&claims, keyless_token::TokenHeader::V2).unwrap().expose().clone()
    };
    for token in [access, id_token] {
        let answer = world.exchange_as(&audience, &token).await;
        assert_eq!((answer.status.as_u16(), answer.error(), answer.code()), (401, "invalid_client", 700_021), "{}", answer.text);
    }
    assert_eq!(world.internet.fetches(), 0);
}

#[tokio::test]
async fn an_audience_that_an_application_took_is_the_applications_i15() {
    let world = World::with(Config::default()).await;
    let fixture = &world.harness.fixture;
    let issuer = Issuer::new(fixture.platform.clone(), &["api://orders".into()]);
    assert!(issuer.check_audiences().is_ok());
    let mut app = keyless_model::entity::Application::clone(fixture.snapshot().application_of(fixture.app.client_id).unwrap());
    app.identifier_uris = vec!["api://Orders".into(), "api://orders".into()];
    fixture.put(app).await;
    assert!(issuer.check_audiences().is_ok(), "no application keeps the system from starting");
    let (client_id, object_id) = (fixture.demo_app.client_id, fixture.demo_app.object_id);
    let subject = TokenSubject::ManagedIdentity { client_id, object_id, resource_id: "/x".into(), host: None };
    let request = IssueRequest::new(TENANT, "api://orders", subject, 3600, "managed_identity", "imds");
    let issued = issuer.issue(&fixture.platform.begin(Actor::Anonymous), request).unwrap();
    assert_eq!(issued.audience, fixture.app.client_id.to_string(), "the application's token, none for outside");
    assert!(Issuer::new(fixture.platform.clone(), &["https://management.azure.com".into()]).check_audiences().is_err());
}
