//! Tokens of Entra tenants that the operator trusts, and everything about them that is refused.

use std::sync::Arc;

use keyless_model::entity::{KeyState, Principal, PrincipalKind, SigningAlgorithm};
use keyless_model::{Actor, Clock as _, ObjectId, TenantId};
use keyless_testkit::{ENTRA_TENANTS, Entra, GUEST, TENANT, TestPlatform, entra_claims, guest};
use keyless_token::TokenError;
use keyless_web::{Audiences, Authenticator, AuthnError, Caller};
use serde_json::{Value, json};

const AI: &str = "https://cognitiveservices.azure.com";

struct System {
    test: TestPlatform,
    entra: Arc<Entra>,
    gateway: Authenticator,
}

impl System {
    async fn new() -> Self {
        Self::of(Entra::new()).await
    }

    async fn of(entra: Arc<Entra>) -> Self {
        let test = TestPlatform::new().await;
        test.put(guest(test.clock.now())).await;
        let gateway = Authenticator::new(test.platform.clone(), Audiences::gateway()).trusting(Some(entra.trusted()));
        Self { test, entra, gateway }
    }

    /// As a plane asks: once, and once more when the keys are there.
    async fn ask(&self, token: &str) -> Result<Caller, AuthnError> {
        match self.ask_now(token) {
            Err(AuthnError::KeysNeeded(needed)) => {
                self.gateway.fetch_keys(&needed).await?;
                self.ask_now(token)
            }
            known => known,
        }
    }

    fn ask_now(&self, token: &str) -> Result<Caller, AuthnError> {
        self.gateway.authenticate_token(&self.test.snapshot(), token, self.test.clock.now())
    }

    /// The guest's claims with changes.
    fn claims(&self, changes: Value) -> Value {
        let mut claims = entra_claims(AI, self.test.clock.now());
        let Value::Object(changes) = changes else { panic!("changes are an object") };
        claims.as_object_mut().expect("claims are an object").extend(changes);
        claims
    }

    async fn ask_with(&self, changes: Value) -> Result<Caller, AuthnError> {
        self.ask(&self.entra.sign(&self.claims(changes))).await
    }

    async fn change(&self, change: impl FnOnce(Principal) -> Principal) {
        self.test.put(change(guest(self.test.clock.now()))).await;
    }
}

fn v1(tenant: TenantId) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

fn v2(tenant: TenantId) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

#[tokio::test]
async fn a_trusted_tenants_token_names_its_guest_in_both_forms() {
    let system = System::new().await;
    let app = system.claims(json!({}))["appid"].clone();
    for changes in [json!({}), json!({"iss": v2(ENTRA_TENANTS[0]), "ver": "2.0", "azp": app}), json!({"aud": "https://ai.azure.com/"})] {
        let caller = system.ask_with(changes).await.unwrap();
        assert_eq!((caller.principal.id, caller.principal.tenant), (GUEST, TENANT));
        assert!(matches!(caller.actor(), Actor::Principal { tenant, .. } if tenant == ENTRA_TENANTS[0]), "the audit names the home tenant");
    }
}

#[tokio::test]
async fn a_known_token_asks_for_no_keys() {
    let system = System::new().await;
    let token = system.entra.sign(&system.claims(json!({})));
    system.ask(&token).await.unwrap();
    for _ in 0..1000 {
        system.ask_now(&token).unwrap();
    }
    assert_eq!(system.entra.asked(), 1);
}

#[tokio::test]
async fn tokens_of_this_system_need_nobodys_keys() {
    let system = System::new().await;
    system.entra.set_down(true);
    system.ask_now(&system.test.token(system.test.demo_app, AI)).unwrap();
    assert_eq!(system.entra.asked(), 0);
}

#[tokio::test]
async fn an_untrusted_tenant_is_refused_although_the_same_keys_sign_for_it_n82() {
    let system = System::new().await;
    system.ask_with(json!({})).await.unwrap();
    let stranger = TenantId::from_u128(0xbad);
    for changes in [
        json!({"iss": v1(stranger), "tid": stranger}),
        json!({"iss": v2(stranger), "tid": stranger, "ver": "2.0"}),
        // The token's own word on its tenant must be the one that its issuer names.
        json!({"tid": stranger}),
        json!({"tid": ENTRA_TENANTS[1]}),
        json!({"iss": v1(ENTRA_TENANTS[1])}),
    ] {
        assert!(matches!(system.ask_with(changes.clone()).await, Err(AuthnError::Token(_))), "{changes}");
    }
}

#[tokio::test]
async fn an_issuer_counts_byte_for_byte() {
    let system = System::new().await;
    let tenant = ENTRA_TENANTS[0];
    for issuer in [
        format!("https://sts.windows.net/{tenant}"),
        format!("http://sts.windows.net/{tenant}/"),
        format!("https://STS.windows.net/{tenant}/"),
        format!("https://sts.windows.net/{tenant}/v2.0"),
        format!("https://sts.windows.net.evil.example/{tenant}/"),
        format!("https://login.microsoftonline.com/{tenant}/"),
        format!("https://login.microsoftonline.com/{tenant}/v2.0/"),
        format!("https://login.microsoftonline.us/{tenant}/v2.0"),
        format!("https://login.microsoftonline.com/common/v2.0?{tenant}"),
        format!("{}/{tenant}/", system.test.platform.endpoints.authority),
        String::new(),
    ] {
        assert!(matches!(system.ask_with(json!({ "iss": issuer })).await, Err(AuthnError::Token(_))), "{issuer}");
    }
    assert_eq!(system.entra.asked(), 0, "nobody's keys are asked for on a stranger's word");
}

#[tokio::test]
async fn audience_time_and_type_are_those_of_our_own_tokens() {
    let system = System::new().await;
    let now = system.test.clock.now().unix_secs();
    let cases = [
        (json!({"aud": "https://management.azure.com/"}), TokenError::Audience),
        (json!({"aud": "https://graph.microsoft.com"}), TokenError::Audience),
        (json!({"aud": "https://cognitiveservices.azure.com.evil.example"}), TokenError::Audience),
        (json!({"aud": [AI]}), TokenError::Claim("aud")),
        (json!({"exp": now - 61}), TokenError::Expired),
        (json!({"nbf": now + 61}), TokenError::NotYetValid),
        (json!({"appid": null}), TokenError::Claim("appid")),
        (json!({"oid": null}), TokenError::Claim("oid")),
        (json!({"idtyp": "device"}), TokenError::Claim("idtyp")),
        (json!({"ver": "3.0"}), TokenError::Claim("ver")),
    ];
    for (changes, expected) in cases {
        let refused = system.ask_with(changes.clone()).await;
        assert!(matches!(&refused, Err(AuthnError::Token(error)) if *error == expected), "{changes}: {refused:?}");
    }
}

#[tokio::test]
async fn a_known_token_expires_all_the_same() {
    let system = System::new().await;
    let token = system.entra.sign(&system.claims(json!({})));
    system.ask(&token).await.unwrap();
    system.test.clock.advance_secs(3661);
    assert!(matches!(system.ask(&token).await, Err(AuthnError::Token(TokenError::Expired))));
}

#[tokio::test]
async fn other_algorithms_are_refused_before_any_key_is_asked_for_n52() {
    let system = System::of(Entra::signing(SigningAlgorithm::ES256)).await;
    assert!(matches!(system.ask_with(json!({})).await, Err(AuthnError::Token(TokenError::Algorithm))));
    let good = system.entra.sign(&system.claims(json!({})));
    let (_, rest) = good.split_once('.').unwrap();
    for header in [r#"{"typ":"JWT","alg":"none","kid":"k"}"#, r#"{"typ":"JWT","alg":"HS256","kid":"k"}"#] {
        use base64::Engine as _;
        let forged = format!("{}.{rest}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header));
        assert!(matches!(system.ask(&forged).await, Err(AuthnError::Token(TokenError::Algorithm))), "{header}");
    }
    assert_eq!(system.entra.asked(), 0);
}

#[tokio::test]
async fn a_key_of_another_authority_in_the_same_set_does_not_count() {
    let system = System::new().await;
    let published = |issuer: &str| {
        let mut jwk = system.entra.jwk().clone();
        jwk["issuer"] = issuer.into();
        system.entra.publish([jwk]);
        system.test.clock.advance_secs(31);
    };
    published("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    assert!(matches!(system.ask_with(json!({})).await, Err(AuthnError::Token(TokenError::Issuer))));
    published("https://login.microsoftonline.com/{tenantid}/v2.0");
    system.ask_with(json!({})).await.unwrap();
    published(&v2(ENTRA_TENANTS[0]));
    system.ask_with(json!({})).await.unwrap();
}

#[tokio::test]
async fn a_key_that_its_tenant_withdraws_ends_known_tokens() {
    let system = System::new().await;
    let token = system.entra.sign(&system.claims(json!({})));
    system.ask(&token).await.unwrap();
    system.entra.publish([]);
    system.test.clock.advance_secs(30);
    assert!(matches!(system.ask(&token).await, Err(AuthnError::Token(TokenError::UnknownKey(_)))));
    assert!(matches!(system.ask(&token).await, Err(AuthnError::Token(TokenError::UnknownKey(_)))), "and stays ended");
}

#[tokio::test]
async fn while_no_keys_can_be_had_nobody_is_let_in() {
    let system = System::new().await;
    system.entra.set_down(true);
    assert!(matches!(system.ask_with(json!({})).await, Err(AuthnError::TenantKeys { tenant, .. }) if tenant == ENTRA_TENANTS[0]));
    system.entra.set_down(false);
    system.ask_with(json!({})).await.unwrap();
}

#[tokio::test]
async fn an_object_id_of_one_tenant_is_nobody_in_another() {
    let system = System::new().await;
    let other = ENTRA_TENANTS[1];
    // The other trusted tenant says the same object id.
    let refused = system.ask_with(json!({"iss": v1(other), "tid": other})).await;
    assert!(matches!(refused, Err(AuthnError::NoGuest { tenant, object_id }) if tenant == other && object_id == GUEST), "{refused:?}");
    // A trusted tenant says the object id of a principal of our own.
    let own = system.test.demo_app.object_id;
    assert!(matches!(system.ask_with(json!({ "oid": own })).await, Err(AuthnError::NoGuest { object_id, .. }) if object_id == own));
    assert!(matches!(system.ask_with(json!({"oid": ObjectId::from_u128(1)})).await, Err(AuthnError::NoGuest { .. })), "and nobody at all");
}

#[tokio::test]
async fn our_own_keys_never_speak_for_a_guest() {
    let system = System::new().await;
    let guest = keyless_testkit::Who { object_id: GUEST, client_id: system.test.app.client_id };
    for tenant in [TENANT, ENTRA_TENANTS[0]] {
        assert!(system.ask(&system.test.token_with(guest, AI, tenant, 3600)).await.is_err());
    }
    assert!(matches!(system.ask_now(&system.test.token(guest, AI)), Err(AuthnError::PrincipalGone)));
}

#[tokio::test]
async fn an_entra_issuer_with_our_own_key_is_refused() {
    let system = System::new().await;
    let key = system.test.snapshot().signing_keys().find(|key| key.state == KeyState::Active).unwrap().kid.clone();
    let own = system.test.platform.keyring.at(&system.test.snapshot()).unwrap();
    let signer = own.signer(SigningAlgorithm::RS256).unwrap();
    let token = signer.sign(&system.claims(json!({})), keyless_token::TokenHeader::V1).unwrap();
    assert!(matches!(system.ask(token.expose()).await, Err(AuthnError::Token(TokenError::UnknownKey(kid))) if kid == key));
}

#[tokio::test]
async fn a_plane_that_trusts_nobody_refuses_a_guest() {
    let system = System::new().await;
    let plane = Authenticator::new(system.test.platform.clone(), Audiences::gateway());
    let token = system.entra.sign(&system.claims(json!({})));
    let refused = plane.authenticate_token(&system.test.snapshot(), &token, system.test.clock.now());
    assert!(matches!(refused, Err(AuthnError::Token(TokenError::UnknownKey(_)))));
}

#[tokio::test]
async fn a_guest_that_is_disabled_revoked_or_removed_is_refused_at_once() {
    let system = System::new().await;
    let token = system.entra.sign(&system.claims(json!({})));
    system.ask(&token).await.unwrap();
    system.change(|guest| Principal { enabled: false, ..guest }).await;
    assert!(matches!(system.ask_now(&token), Err(AuthnError::PrincipalDisabled)));
    let now = system.test.clock.now();
    system.change(|guest| Principal { tokens_valid_from: Some(now), ..guest }).await;
    assert!(matches!(system.ask_now(&token), Err(AuthnError::Revoked { .. })));
    system.test.delete(guest(now)).await;
    assert!(matches!(system.ask_now(&token), Err(AuthnError::NoGuest { .. })));
}

#[tokio::test]
async fn a_guest_is_what_it_was_registered_as() {
    let system = System::new().await;
    let person = json!({"idtyp": "user", "scp": "user_impersonation"});
    assert!(matches!(system.ask_with(person.clone()).await, Err(AuthnError::GuestKind(GUEST))));
    system.change(|guest| Principal { kind: PrincipalKind::User, ..guest }).await;
    system.ask_with(person).await.unwrap();
    assert!(matches!(system.ask_with(json!({})).await, Err(AuthnError::GuestKind(GUEST))));
    assert!(matches!(system.ask_with(json!({"idtyp": "user", "scp": "profile openid"})).await, Err(AuthnError::GuestScope)));
}

#[tokio::test]
async fn claims_that_would_give_rights_are_not_looked_at() {
    let system = System::new().await;
    let roles = json!({"groups": [system.test.demo_app.object_id], "roles": ["Owner"], "wids": ["62e90394-69f5-4237-9190-012177145e10"]});
    let caller = system.ask_with(roles).await.unwrap();
    assert_eq!(caller.principal.id, GUEST);
}
