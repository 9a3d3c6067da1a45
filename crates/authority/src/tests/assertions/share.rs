//! How many assertions are in use at once: of one client, and of all.

use keyless_model::entity::Principal;
use keyless_model::{ClientId, ObjectId};

use super::*;

#[tokio::test]
async fn a_client_at_its_share_of_assertions_waits_and_others_go_on_i8() {
    let world = World::with(Config { assertions_per_client: 3, ..Config::default() }).await;
    let other = second_application(&world).await;
    let fresh = |jti: &str| Rsa::shared(0).sign(&world.header(), &world.payload(jti));
    for n in 0..3 {
        assert_eq!(world.send(&fresh(&format!("jti-{n}"))).await.status, 200);
    }
    let refused = world.send(&fresh("one too many")).await;
    assert_eq!((refused.status.as_u16(), refused.error()), (429, "temporarily_unavailable"), "{}", refused.text);
    let wait: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3900).contains(&wait), "{wait}");
    // Nobody else waits for it.
    let mut payload = world.payload("another client's");
    (payload["iss"], payload["sub"]) = (json!(other.client_id), json!(other.client_id));
    let answer = world.send_as(&other.client_id.to_string(), &Rsa::shared(0).sign(&world.header(), &payload)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.harness.fixture.clock.advance_secs(wait);
    assert_eq!(world.send(&fresh("when it was told to")).await.status, 200);
}

#[tokio::test]
async fn assertions_beyond_what_is_remembered_are_refused_until_older_ones_expire_i8() {
    let world = World::with(Config { assertions: 2, ..Config::default() }).await;
    let fresh = |jti: &str| Rsa::shared(0).sign(&world.header(), &world.payload(jti));
    for n in 0..2 {
        assert_eq!(world.send(&fresh(&format!("jti-{n}"))).await.status, 200);
    }
    let refused = world.send(&fresh("one too many")).await;
    assert_eq!((refused.status.as_u16(), refused.headers["retry-after"].to_str().unwrap()), (503, "60"), "{}", refused.text);
    world.harness.fixture.clock.advance_secs(2 * 3900);
    assert_eq!(world.send(&fresh("later")).await.status, 200);
}

/// An application with the same certificate.
async fn second_application(world: &World) -> Application {
    let fixture = &world.harness.fixture;
    let snapshot = fixture.snapshot();
    let mut app = Application::clone(snapshot.application_of(fixture.app.client_id).unwrap());
    let mut principal = Principal::clone(snapshot.service_principal(app.client_id).unwrap());
    app.client_id = ClientId::from_u128(0xbee);
    principal.client_id = Some(app.client_id);
    (app.id, principal.id) = (ObjectId::from_u128(0xbee1), ObjectId::from_u128(0xbee2));
    fixture.put(app.clone()).await;
    fixture.put(principal).await;
    app
}
