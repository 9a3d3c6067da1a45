//! The issuer without its HTTP face, as the metadata plane uses it, and what happens when the audit cannot be written.

use keyless_model::entity::{Application, KeyState, Principal, SigningKey};
use keyless_model::{Actor, Clock as _};
use keyless_testkit::{APP_SECRET, TENANT};
use keyless_token::{AppCredential, Expect, TokenError, TokenSubject, Unverified, Version, verify};

use super::harness::Harness;
use crate::{IssueError, IssueRequest, Issuer};

const AUDIENCE: &str = "https://cognitiveservices.azure.com";

fn request(harness: &Harness, audience: &str) -> IssueRequest {
    let who = harness.fixture.demo_app;
    let subject = TokenSubject::ManagedIdentity {
        client_id: who.client_id,
        object_id: who.object_id,
        resource_id: "/subscriptions/x".into(),
        host: Some("/subscriptions/h".into()),
    };
    IssueRequest::new(TENANT, audience, subject, 86_700, "managed_identity", "imds")
}

fn issue(harness: &Harness, audience: &str) -> Result<crate::Issued, IssueError> {
    let issuer = Issuer::new(harness.fixture.platform.clone(), &["api://AzureADTokenExchange".into()]);
    issuer.issue(&harness.fixture.platform.begin(Actor::Anonymous), request(harness, audience))
}

#[tokio::test]
async fn identities_get_tokens_for_known_resources_and_each_is_audited() {
    let harness = Harness::new().await;
    let issued = issue(&harness, AUDIENCE).unwrap();
    assert_eq!(issued.expires.millis_since(issued.issued) / 1000, 86_700);
    let detail = harness.fixture.audit.last().token.unwrap();
    assert_eq!((detail.token_id, &*detail.credential), (Some(issued.token_id), "imds"));
    assert!(issue(&harness, "api://AzureADTokenExchange").is_ok());
    assert!(matches!(issue(&harness, "https://unknown.example"), Err(IssueError::ResourceUnknown(_))));
}

fn outside(harness: &Harness, audience: &str) -> Result<crate::Issued, IssueError> {
    let issuer = Issuer::new(harness.fixture.platform.clone(), &[]);
    issuer.issue_outside(&harness.fixture.platform.begin(Actor::Anonymous), request(harness, audience))
}

#[tokio::test]
async fn a_token_for_others_is_short_and_worth_nothing_at_home() {
    let harness = Harness::new().await;
    for issued in [outside(&harness, "sts.cloud.example").unwrap(), issue(&harness, "api://AzureADTokenExchange").unwrap()] {
        assert_eq!(issued.expires.millis_since(issued.issued) / 1000, 900);
        let token = Unverified::parse(issued.token.expose()).unwrap();
        let claims = token.stated_claims().unwrap();
        assert_eq!(claims.text("sub"), Some(&*harness.fixture.demo_app.object_id.to_string()));
        assert_eq!((claims.text("jti"), claims.text("xms_mirid")), (Some(&*issued.token_id), Some("/subscriptions/x")));
        // Even a plane that took its audience for its own would not take it for an access token.
        let snapshot = harness.fixture.snapshot();
        let keys = harness.fixture.platform.keyring.at(&snapshot).unwrap();
        let expect = Expect {
            issuers: &[Version::V2.issuer("https://localhost:8443", TENANT)],
            tenant: TENANT,
            audiences: std::slice::from_ref(&issued.audience),
            now: harness.fixture.clock.now(),
            leeway_secs: 60,
        };
        assert_eq!(verify(keys.public(), &token, &expect), Err(TokenError::Claim("ver")));
    }
    let detail = harness.fixture.audit.last().token.unwrap();
    assert_eq!(detail.audience.as_deref(), Some("api://AzureADTokenExchange"));
}

#[tokio::test]
async fn what_could_be_taken_for_ours_is_no_audience_outside() {
    let harness = Harness::new().await;
    let row = harness.fixture.snapshot().application_of(harness.fixture.app.client_id).unwrap().clone();
    harness.fixture.put(Application { identifier_uris: vec!["api://Orders".into()], ..Application::clone(&row) }).await;
    let client_id = harness.fixture.app.client_id.to_string();
    for ours in [
        AUDIENCE,
        "https://cognitiveservices.azure.com/",
        "HTTPS://CognitiveServices.Azure.Com",
        "https://ai.azure.com:444/x",
        "https://management.core.windows.net/",
        "https://localhost:8443",
        "https://localhost/anything",
        "api://orders",
        &client_id,
        "",
        "two words",
        "line\nbreak",
        &"a".repeat(513),
    ] {
        assert!(matches!(outside(&harness, ours), Err(IssueError::AudienceOurs(_))), "{ours}");
        let issuer = Issuer::new(harness.fixture.platform.clone(), &[ours.to_owned()]);
        // What an application here calls itself is not served outside, and no reason to refuse the start.
        let of_an_application = ours == "api://orders" || ours == client_id;
        assert_eq!(issuer.check_audiences().is_ok(), of_an_application, "{ours}");
    }
    for theirs in
        ["sts.amazonaws.com", "//iam.googleapis.com/projects/1/providers/x", "https://cloud.example", "api://AzureADTokenExchange"]
    {
        assert!(outside(&harness, theirs).is_ok(), "{theirs}");
    }
}

#[tokio::test]
async fn no_person_gets_a_token_for_others() {
    let harness = Harness::new().await;
    let who = harness.fixture.demo_app;
    let subject = TokenSubject::User {
        object_id: who.object_id,
        client_id: who.client_id,
        credential: AppCredential::Public,
        upn: "ada@keyless.test".into(),
        name: "Ada".into(),
        methods: Vec::new(),
        scopes: Vec::new(),
    };
    let issuer = Issuer::new(harness.fixture.platform.clone(), &["api://AzureADTokenExchange".into()]);
    let request = IssueRequest::new(TENANT, "api://AzureADTokenExchange", subject, 3600, "authorization_code", "public");
    let refused = issuer.issue(&harness.fixture.platform.begin(Actor::Anonymous), request);
    assert!(matches!(refused, Err(IssueError::ResourceUnknown(_))));
}

#[tokio::test]
async fn no_token_leaves_that_the_audit_has_not_seen() {
    let harness = Harness::new().await;
    harness.fixture.audit.fail("disk full");
    assert!(matches!(issue(&harness, AUDIENCE), Err(IssueError::Audit(_))));
    let client_id = harness.fixture.app.client_id.to_string();
    let fields = |secret| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_secret", secret),
            ("scope", "https://ai.azure.com/.default"),
        ]
    };
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    for secret in [APP_SECRET, "wrong-secret"] {
        let answer = harness.post(&path, &fields(secret)).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (90_033, 503, "temporarily_unavailable"));
        assert!(answer.body.get("access_token").is_none());
    }
    harness.fixture.audit.recover();
    assert_eq!(harness.post(&path, &fields(APP_SECRET)).await.status, 200);
}

#[tokio::test]
async fn a_deleted_or_disabled_identity_gets_nothing_n66() {
    let harness = Harness::new().await;
    let mut principal = Principal::clone(harness.fixture.snapshot().principal(harness.fixture.demo_app.object_id).unwrap());
    principal.enabled = false;
    harness.fixture.put(principal.clone()).await;
    assert!(matches!(issue(&harness, AUDIENCE), Err(IssueError::PrincipalDisabled)));
    harness.fixture.delete(principal).await;
    assert!(matches!(issue(&harness, AUDIENCE), Err(IssueError::PrincipalGone)));
}

#[tokio::test]
async fn a_token_issued_right_after_a_revocation_is_newer_than_it() {
    let harness = Harness::new().await;
    let gateway = keyless_web::Authenticator::new(harness.fixture.platform.clone(), keyless_web::Audiences::gateway());
    let authenticate = |token: &crate::Issued| {
        let now = harness.fixture.clock.now();
        gateway.authenticate_token(&harness.fixture.snapshot(), token.token.expose(), now)
    };
    let before = issue(&harness, AUDIENCE).unwrap();
    harness.fixture.clock.advance_millis(500);
    let mut principal = Principal::clone(harness.fixture.snapshot().principal(harness.fixture.demo_app.object_id).unwrap());
    principal.tokens_valid_from = Some(harness.fixture.clock.now());
    harness.fixture.put(principal.clone()).await;
    harness.fixture.clock.advance_millis(1);
    let after = issue(&harness, AUDIENCE).unwrap();
    assert!(matches!(authenticate(&before), Err(keyless_web::AuthnError::Revoked { .. })));
    assert!(authenticate(&after).is_ok());
    principal.tokens_valid_from = Some(harness.fixture.clock.now().plus_secs(60));
    harness.fixture.put(principal).await;
    assert!(matches!(issue(&harness, AUDIENCE), Err(IssueError::PrincipalDisabled)));
}

#[tokio::test]
async fn without_an_active_key_the_answer_is_to_try_again() {
    let harness = Harness::new().await;
    let mut key = SigningKey::clone(harness.fixture.snapshot().signing_keys().next().unwrap());
    key.state = KeyState::Retiring;
    harness.fixture.put(key).await;
    assert!(matches!(issue(&harness, AUDIENCE), Err(IssueError::NoSigningKey)));
}
