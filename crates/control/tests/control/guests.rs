//! A company's own Entra tokens at the control plane.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use keyless_control::Config;
use keyless_directory::invariant::Violation;
use keyless_directory::plan::guest::{GuestRefused, NewGuest, add, remove};
use keyless_model::entity::{Principal, PrincipalKind};
use keyless_model::{Clock as _, ObjectId};
use keyless_rbac::builtin;
use keyless_store::UpdateError;
use keyless_testkit::{ENTRA_TENANTS, Entra, GUEST, TENANT, entra_claims, guest};
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

fn new_guest(plane: &Plane) -> NewGuest {
    NewGuest {
        object_id: ObjectId::from_u128(0x9e59),
        home: ENTRA_TENANTS[1],
        tenant: TENANT,
        kind: PrincipalKind::ServicePrincipal,
        display_name: "ci".to_owned(),
        now: plane.test.clock.now(),
    }
}

#[tokio::test]
async fn an_object_id_that_stands_for_somebody_is_not_given_to_a_guest() {
    let company = Company::new().await;
    let plane = &company.plane;
    let add = |object_id| add(&plane.test.snapshot(), &NewGuest { object_id, ..new_guest(plane) });
    for taken in [GUEST, plane.test.demo_app.object_id] {
        assert_eq!(add(taken), Err(GuestRefused::Exists(taken)), "of whichever tenant");
    }
    let free = ObjectId::from_u128(0x9e59);
    assert_eq!(add(free).unwrap().len(), 1);
    // Somebody who is gone left a grant behind.
    plane.test.assign(builtin::OWNER, free, &keyless_model::Scope::root()).await;
    assert_eq!(add(free), Err(GuestRefused::Orphans(free)));
}

#[tokio::test]
async fn a_guest_takes_its_grants_along() {
    let company = Company::new().await;
    let plane = &company.plane;
    plane.test.assign(builtin::READER, GUEST, &plane.test.group).await;
    let (_, mutations) = remove(&plane.test.snapshot(), GUEST).unwrap();
    plane.test.apply(mutations).await;
    assert_eq!(plane.test.snapshot().policy().assignments_of(GUEST).count(), 0);
    assert!(add(&plane.test.snapshot(), &NewGuest { object_id: GUEST, ..new_guest(plane) }).is_ok(), "and may come back with nothing");
}

#[tokio::test]
async fn only_guests_are_removed_and_never_the_last_administrator() {
    let company = Company::new().await;
    let plane = &company.plane;
    let own = plane.test.demo_app.object_id;
    assert_eq!(remove(&plane.test.snapshot(), own), Err(GuestRefused::Unknown(own)));
    plane.test.assign(builtin::OWNER, GUEST, &plane.subscription()).await;
    let operator = plane.test.snapshot().policy().assignment(plane.test.assignments[1]).unwrap();
    plane.test.delete(operator).await;
    let refused = plane.test.try_apply(remove(&plane.test.snapshot(), GUEST).unwrap().1).await;
    assert!(matches!(refused, Err(UpdateError::Violation(Violation::LastAdministrator(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_guests_name_can_be_shown() {
    let company = Company::new().await;
    for name in ["", "  ", "two\nlines", &"x".repeat(257)] {
        let new = NewGuest { display_name: name.to_owned(), ..new_guest(&company.plane) };
        assert_eq!(add(&company.plane.test.snapshot(), &new), Err(GuestRefused::Name), "{name}");
    }
}
