//! A company's own Entra tokens at the control plane.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use keyless_control::Config;
use keyless_model::Clock as _;
use keyless_model::entity::{Principal, PrincipalKind};
use keyless_rbac::builtin;
use keyless_testkit::{ENTRA_TENANTS, Entra, GUEST, entra_claims, guest};
use serde_json::json;

use crate::support::{ARM, Answer, GRAPH, Plane, VERSION};

struct Company {
    plane: Plane,
    entra: Arc<Entra>,
}

impl Company {
    async fn new() -> Self {
        let entra = Entra::new();
        let plane = Plane::with(Config { trusted_tenants: Some(entra.trusted()), ..Config::default() }).await;
        plane.test.put(guest(plane.test.clock.now())).await;
        Self { plane, entra }
    }

    /// What the guest gets with a token for `audience`.
    async fn get(&self, path: &str, audience: &str) -> Answer {
        let token = self.entra.sign(&entra_claims(audience, self.plane.test.clock.now()));
        let request = Request::builder().uri(format!("{path}?{VERSION}")).header("authorization", format!("Bearer {token}"));
        self.plane.send(request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn a_guest_reads_what_its_role_allows() {
    let company = Company::new().await;
    let group = company.plane.test.group.to_string();
    assert_eq!(company.get(&group, ARM).await.error(), (403, "AuthorizationFailed"));
    company.plane.test.assign(builtin::READER, GUEST, &company.plane.test.group).await;
    assert_eq!(company.get(&group, ARM).await.expect(200)["name"], "demo");
}

#[tokio::test]
async fn graph_takes_no_guests_token() {
    let company = Company::new().await;
    let root = keyless_model::Scope::root();
    company.plane.test.assign(builtin::OWNER, GUEST, &root).await;
    for audience in [GRAPH, ARM, "https://localhost:8443/"] {
        assert_eq!(company.get("/v1.0/me", audience).await.status, 401, "{audience}");
    }
}

#[tokio::test]
async fn while_the_tenants_keys_cannot_be_had_the_answer_is_503() {
    let company = Company::new().await;
    company.entra.set_down(true);
    assert_eq!(company.get("/subscriptions", ARM).await.error(), (503, "ServiceUnavailable"));
    company.entra.set_down(false);
    assert_eq!(company.get("/subscriptions", ARM).await.status, 200);
}

#[tokio::test]
async fn guests_are_shown_with_their_home() {
    let company = Company::new().await;
    let plane = &company.plane;
    let person = keyless_model::ObjectId::from_u128(0x9e58);
    plane.test.put(Principal { id: person, kind: PrincipalKind::User, ..guest(plane.test.clock.now()) }).await;
    let shown = plane.get(plane.test.operator, &format!("/v1.0/servicePrincipals/{GUEST}")).await.expect(200);
    assert_eq!(shown["appOwnerOrganizationId"], ENTRA_TENANTS[0].to_string());
    let found = plane.post(plane.test.operator, "/v1.0/directoryObjects/getByIds", json!({ "ids": [person] })).await.expect(200);
    let found = &found["value"][0];
    assert_eq!((&found["@odata.type"], &found["userType"]), (&json!("#microsoft.graph.user"), &json!("Guest")));
}
