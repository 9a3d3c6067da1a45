//! API keys, while an account takes them.

use keyless_audit::ActorRecord;
use keyless_directory::sealer::account_key_purpose;
use keyless_model::entity::Sealed;
use keyless_testkit::ACCOUNT_KEYS;

use crate::support::*;

async fn world_with_keys() -> World {
    let world = World::new().await;
    world.change_account(|account| account.disable_local_auth = false).await;
    world
}

#[tokio::test]
async fn both_keys_open_every_route_of_their_account() {
    let mut world = world_with_keys().await;
    for key in ACCOUNT_KEYS {
        assert_eq!(world.send(post(CHAT, &[("api-key", key)], HELLO)).await.status, 200);
        assert_eq!(world.send(post(CHAT_V1, &[("api-key", key)], HELLO)).await.status, 200);
        assert_eq!(world.send(post(CHAT_V1, &[("authorization", &format!("Bearer {key}"))], HELLO)).await.status, 200);
    }
    let event = world.test.audit.last();
    let ActorRecord::AccountKey { fingerprint } = event.actor else { panic!("{event:?}") };
    assert!(fingerprint.starts_with("sha256:") && fingerprint.len() == 23);
}

#[tokio::test]
async fn a_wrong_key_opens_nothing() {
    let mut world = world_with_keys().await;
    let (right, longer) = (ACCOUNT_KEYS[0], format!("{}x", ACCOUNT_KEYS[0]));
    for wrong in ["", "x", &right[..right.len() - 1], &longer, &right.to_uppercase()] {
        let answer = world.send(post(CHAT, &[("api-key", wrong)], HELLO)).await;
        assert!(
            answer.line().starts_with(r#"401 {"error":{"code":"401","message":"Access denied due to invalid subscription key"#),
            "{wrong}"
        );
        let answer = world.send(post(CHAT_V1, &[("authorization", &format!("Bearer {wrong}x"))], HELLO)).await;
        assert_eq!(answer.status, 401, "{wrong}");
    }
    assert!(world.server.seen().is_empty());
}

#[tokio::test]
async fn dated_routes_take_no_key_as_a_bearer() {
    let mut world = world_with_keys().await;
    let answer = world.send(post(CHAT, &[("authorization", &format!("Bearer {}", ACCOUNT_KEYS[0]))], HELLO)).await;
    assert!(answer.line().starts_with(r#"401 {"statusCode":401"#), "{answer:?}");
}

#[tokio::test]
async fn a_key_beside_a_token_is_never_looked_at() {
    let mut world = world_with_keys().await;
    let none = format!("Bearer {}", world.test.token(world.test.app, AUDIENCE));
    for path in [CHAT, CHAT_V1] {
        let answer = world.send(post(path, &[("authorization", &none), ("api-key", ACCOUNT_KEYS[0])], HELLO)).await;
        assert!(answer.body.contains("PermissionDenied"), "{answer:?}");
    }
    let good = format!("Bearer {}", world.token());
    let answer = world.send(post(CHAT, &[("authorization", &good), ("api-key", "wrong")], HELLO)).await;
    assert_eq!(answer.status, 200);
    assert!(matches!(world.test.audit.last().actor, ActorRecord::Principal { .. }));
}

#[tokio::test]
async fn a_regenerated_key_replaces_the_old_one_at_once() {
    let mut world = world_with_keys().await;
    let old = ACCOUNT_KEYS[0];
    assert_eq!(world.send(post(CHAT, &[("api-key", old)], HELLO)).await.status, 200);
    let platform = std::sync::Arc::clone(&world.test.platform);
    let seal =
        |scope: &keyless_model::Scope| -> Sealed { platform.sealer.seal(&account_key_purpose(scope, 1), b"fresh-key", &*platform.entropy) };
    world.change_account(|account| account.keys[0] = seal(&account.scope)).await;
    assert_eq!(world.send(post(CHAT, &[("api-key", old)], HELLO)).await.status, 401);
    assert_eq!(world.send(post(CHAT, &[("api-key", "fresh-key")], HELLO)).await.status, 200);
    assert_eq!(world.send(post(CHAT, &[("api-key", ACCOUNT_KEYS[1])], HELLO)).await.status, 200);
}

#[tokio::test]
async fn turning_keys_off_refuses_right_and_wrong_ones_alike() {
    let mut world = world_with_keys().await;
    assert_eq!(world.send(post(CHAT, &[("api-key", ACCOUNT_KEYS[0])], HELLO)).await.status, 200);
    world.change_account(|account| account.disable_local_auth = true).await;
    let right = world.send(post(CHAT, &[("api-key", ACCOUNT_KEYS[0])], HELLO)).await.line();
    let wrong = world.send(post(CHAT, &[("api-key", "wrong")], HELLO)).await.line();
    assert_eq!(right, wrong);
    assert!(right.starts_with(r#"403 {"error":{"code":"AuthenticationTypeDisabled""#));
}
