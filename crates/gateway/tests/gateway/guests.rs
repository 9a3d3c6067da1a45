//! A company's own Entra tokens at the gateway: the guest's role decides, and nothing else in the token.

use std::sync::Arc;

use http_body_util::Full;
use keyless_model::Clock as _;
use keyless_model::entity::Principal;
use keyless_rbac::builtin;
use keyless_testkit::{ENTRA_TENANTS, Entra, GUEST, entra_claims, guest};

use crate::support::*;

struct Company {
    world: World,
    entra: Arc<Entra>,
}

impl Company {
    /// The guest is known and has no role.
    async fn new() -> Self {
        let entra = Entra::new();
        let trusted = entra.trusted();
        let world = World::with(|config| config.trusted_tenants = Some(trusted)).await;
        world.test.put(guest(world.test.clock.now())).await;
        Self { world, entra }
    }

    fn request(&self, token: &str) -> http::Request<Full<bytes::Bytes>> {
        post(CHAT, &[("authorization", &format!("Bearer {token}"))], HELLO)
    }

    /// A call of the guest's.
    async fn chat(&mut self) -> Answer {
        let token = self.entra.sign(&entra_claims(AUDIENCE, self.world.test.clock.now()));
        let request = self.request(&token);
        self.world.send(request).await
    }

    async fn give_role(&self) {
        let account = self.world.test.account.clone();
        self.world.test.assign(builtin::COGNITIVE_SERVICES_OPENAI_USER, GUEST, &account).await;
    }
}

#[tokio::test]
async fn a_guest_calls_with_a_role_and_not_without() {
    let mut company = Company::new().await;
    let refused = company.chat().await;
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("PermissionDenied") && refused.body.contains(&GUEST.to_string()), "{}", refused.body);
    company.give_role().await;
    assert_eq!(company.chat().await.status, 200);
    let event = serde_json::to_value(company.world.test.audit.last()).unwrap();
    assert!(event["actor"].to_string().contains(&ENTRA_TENANTS[0].to_string()), "the audit names the tenant: {event}");
}

#[tokio::test]
async fn a_stranger_of_a_trusted_tenant_is_refused_and_the_audit_says_how_to_add_it() {
    let mut company = Company::new().await;
    let mut claims = entra_claims(AUDIENCE, company.world.test.clock.now());
    let stranger = keyless_model::ObjectId::from_u128(0x57a);
    claims["oid"] = serde_json::json!(stranger);
    let request = company.request(&company.entra.sign(&claims));
    let refused = company.world.send(request).await;
    assert!(refused.line().starts_with(r#"401 {"statusCode":401"#), "the answer tells a stranger nothing: {}", refused.line());
    let because = company.world.test.audit.last().decision.unwrap().because.to_string();
    assert!(because.contains(&format!("keyless guest add {stranger} --tenant {}", ENTRA_TENANTS[0])), "{because}");
}

#[tokio::test]
async fn while_the_tenants_keys_cannot_be_had_the_answer_is_503() {
    let mut company = Company::new().await;
    company.give_role().await;
    company.entra.set_down(true);
    let answer = company.chat().await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("10")));
    company.entra.set_down(false);
    assert_eq!(company.chat().await.status, 200);
}

#[tokio::test]
async fn a_guest_whose_sessions_are_revoked_is_challenged_for_newer_claims() {
    let mut company = Company::new().await;
    company.give_role().await;
    assert_eq!(company.chat().await.status, 200);
    let now = company.world.test.clock.now();
    company.world.test.put(Principal { tokens_valid_from: Some(now), ..guest(now) }).await;
    let answer = company.chat().await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").unwrap().contains(r#"error="insufficient_claims", claims=""#));
}
