//! Bearer tokens to callers: what holds, and everything that does not.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use keyless_model::Clock as _;
use keyless_model::entity::{KeyState, Principal, SigningKey};
use keyless_testkit::{OTHER_TENANT, TENANT, TestPlatform, Who};
use keyless_token::TokenError;
use keyless_web::{Audiences, Authenticator, AuthnError, Caller, bearer_of};

const AI: &str = "https://cognitiveservices.azure.com";

struct System {
    test: TestPlatform,
    gateway: Authenticator,
}

impl System {
    async fn new() -> Self {
        let test = TestPlatform::new().await;
        let gateway = Authenticator::new(test.platform.clone(), Audiences::gateway());
        Self { test, gateway }
    }

    fn ask(&self, token: &str) -> Result<Caller, AuthnError> {
        self.gateway.authenticate_token(&self.test.snapshot(), token, self.test.clock.now())
    }

    async fn change(&self, who: Who, change: impl FnOnce(Principal) -> Principal) {
        let principal = self.test.snapshot().principal(who.object_id).expect("it exists").as_ref().clone();
        self.test.put(change(principal)).await;
    }
}

#[tokio::test]
async fn a_good_token_names_its_principal_the_first_time_and_every_time() {
    let system = System::new().await;
    for audience in [AI, "https://cognitiveservices.azure.com/", "https://ai.azure.com"] {
        let token = system.test.token(system.test.demo_app, audience);
        for _ in 0..2 {
            assert_eq!(system.ask(&token).expect("it holds").principal.id, system.test.demo_app.object_id);
        }
    }
}

#[tokio::test]
async fn a_token_for_another_plane_is_refused() {
    let system = System::new().await;
    for audience in ["https://management.azure.com/", "https://localhost:8443", "https://cognitiveservices.azure.com//", ""] {
        let token = system.test.token(system.test.demo_app, audience);
        assert!(matches!(system.ask(&token), Err(AuthnError::Token(_))), "{audience}");
    }
}

#[tokio::test]
async fn a_known_token_expires_all_the_same() {
    let system = System::new().await;
    let token = system.test.token(system.test.demo_app, AI);
    system.ask(&token).expect("it holds");
    system.test.clock.advance_secs(3600 + 61);
    assert!(matches!(system.ask(&token), Err(AuthnError::Token(TokenError::Expired))));
    assert!(matches!(
        System { gateway: Authenticator::new(system.test.platform.clone(), Audiences::gateway()), test: system.test }.ask(&token),
        Err(AuthnError::Token(TokenError::Expired))
    ));
}

#[tokio::test]
async fn a_disabled_principal_is_refused_at_once_with_a_known_token() {
    let system = System::new().await;
    let token = system.test.token(system.test.demo_app, AI);
    system.ask(&token).expect("it holds");
    system.change(system.test.demo_app, |principal| Principal { enabled: false, ..principal }).await;
    assert!(matches!(system.ask(&token), Err(AuthnError::PrincipalDisabled)));
    system.change(system.test.demo_app, |principal| Principal { enabled: true, ..principal }).await;
    system.ask(&token).expect("it holds again");
}

#[tokio::test]
async fn a_deleted_principal_is_refused_and_its_id_made_anew_inherits_nothing_n125() {
    let system = System::new().await;
    let token = system.test.token(system.test.demo_app, AI);
    system.ask(&token).expect("it holds");
    let principal = system.test.snapshot().principal(system.test.demo_app.object_id).expect("it exists").as_ref().clone();
    system.test.delete(principal.clone()).await;
    assert!(matches!(system.ask(&token), Err(AuthnError::PrincipalGone)));
    system.test.clock.advance_secs(2);
    system.test.put(Principal { created: system.test.clock.now(), ..principal.clone() }).await;
    assert!(matches!(system.ask(&token), Err(AuthnError::PrincipalGone)), "the token is older than the new principal");
    system.test.put(Principal { client_id: Some(system.test.app.client_id), ..principal }).await;
    assert!(matches!(system.ask(&token), Err(AuthnError::PrincipalGone)), "another client took the id");
}

#[tokio::test]
async fn tokens_from_before_a_revocation_are_refused() {
    let system = System::new().await;
    let token = system.test.token(system.test.demo_app, AI);
    system.ask(&token).expect("it holds");
    system.test.clock.advance_secs(10);
    let from = system.test.clock.now();
    system.change(system.test.demo_app, |principal| Principal { tokens_valid_from: Some(from), ..principal }).await;
    assert!(matches!(system.ask(&token), Err(AuthnError::Revoked { .. })));
    system.ask(&system.test.token(system.test.demo_app, AI)).expect("a fresh one holds");
}

#[tokio::test]
async fn a_retired_key_ends_known_tokens_at_once() {
    let system = System::new().await;
    let token = system.test.token(system.test.demo_app, AI);
    system.ask(&token).expect("it holds");
    let key = system.test.snapshot().signing_keys().next().expect("there is one").as_ref().clone();
    system.test.put(SigningKey { state: KeyState::Retired, ..key }).await;
    assert!(matches!(system.ask(&token), Err(AuthnError::Token(TokenError::UnknownKey(_)))));
}

#[tokio::test]
async fn a_token_that_claims_another_tenant_than_its_principals_is_refused_n82() {
    let system = System::new().await;
    let claimed = system.test.token_with(system.test.demo_app, AI, OTHER_TENANT, 3600);
    assert!(
        matches!(system.ask(&claimed), Err(AuthnError::OtherTenant { token, resource }) if token == OTHER_TENANT && resource == TENANT)
    );
    let foreign = system.test.token_with(system.test.foreign_app, AI, OTHER_TENANT, 3600);
    assert_eq!(system.ask(&foreign).expect("it holds in its own tenant").principal.tenant, OTHER_TENANT);
}

#[test]
fn only_a_single_bearer_header_counts() {
    let headers = |values: &[&str]| {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(AUTHORIZATION, value.parse().expect("a header value"));
        }
        map
    };
    assert_eq!(bearer_of(&headers(&["bearer  abc"])).expect("one token"), "abc");
    assert!(matches!(bearer_of(&headers(&[])), Err(AuthnError::Missing)));
    for bad in [&["Bearer a", "Bearer b"][..], &["Basic abc"], &["Bearer"], &["Bearer "], &["Bearer a b"], &["abc"]] {
        assert!(matches!(bearer_of(&headers(bad)), Err(AuthnError::Header)), "{bad:?}");
    }
}
