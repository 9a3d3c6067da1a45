//! Signing keys over months, and when one is stolen.

use keyless_model::entity::{KeyState, SigningKey};
use keyless_model::{Actor, KeyId};
use keyless_testkit::{APP_SECRET, TENANT};
use keyless_token::PublicKeys;
use keyless_token::rotation::{RotationPolicy, Urgency};
use keyless_web::{Audiences, Authenticator, AuthnError};

use super::harness::Harness;
use crate::keys::{DEFAULT_ROTATION, KeyRotation, KeysError};

const HOUR: i64 = 3600;

fn policy() -> RotationPolicy {
    RotationPolicy { interval_secs: 24 * HOUR, publish_lead_secs: 2 * HOUR, max_token_life_secs: 2 * HOUR }
}

fn rotation(harness: &Harness) -> KeyRotation {
    KeyRotation::new(harness.fixture.platform.clone(), keyless_testkit::system(), policy()).unwrap()
}

fn keys(harness: &Harness) -> Vec<SigningKey> {
    harness.fixture.snapshot().signing_keys().map(|key| SigningKey::clone(key)).collect()
}

fn active(harness: &Harness) -> KeyId {
    let active: Vec<_> = keys(harness).into_iter().filter(|key| key.state == KeyState::Active).collect();
    assert_eq!(active.len(), 1, "exactly one key signs");
    active[0].kid.clone()
}

async fn token(harness: &Harness) -> String {
    let client_id = harness.fixture.app.client_id.to_string();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id.as_str()),
        ("client_secret", APP_SECRET),
        ("scope", "https://ai.azure.com/.default"),
    ];
    let answer = harness.post(&format!("/{TENANT}/oauth2/v2.0/token"), &fields).await;
    answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

fn kid_of(token: &str) -> String {
    let token = keyless_token::Unverified::parse(token).unwrap();
    token.kid().unwrap().to_owned()
}

#[tokio::test]
async fn no_verifier_that_caches_the_key_set_ever_meets_an_unknown_key_f2() {
    let harness = Harness::new().await;
    let rotation = rotation(&harness);
    // A verifier that fetched the key set as long ago as it may: one publishing lead.
    let mut fetched: Vec<(i64, PublicKeys)> = Vec::new();
    let mut signers = std::collections::BTreeSet::new();
    for half_hour in 0..(24 * 2 * 4) {
        rotation.step().await.unwrap();
        let snapshot = harness.fixture.snapshot();
        let published = PublicKeys::clone(harness.fixture.platform.keyring.at(&snapshot).unwrap().public());
        fetched.push((half_hour, published));
        let token = token(&harness).await;
        let kid = KeyId::new(&kid_of(&token)).unwrap();
        assert_eq!(kid, active(&harness));
        let oldest = fetched.iter().find(|(at, _)| (half_hour - at) * HOUR / 2 <= policy().publish_lead_secs).unwrap();
        assert!(oldest.1.holds(&kid), "half hour {half_hour}: the key was not known in time");
        signers.insert(kid);
        harness.fixture.clock.advance_secs(HOUR / 2);
        let _ = harness.fixture.audit.take();
    }
    assert!(signers.len() >= 4, "a key a day: {}", signers.len());
    assert!(keys(&harness).len() <= 4, "retired keys are forgotten");
}

#[tokio::test]
async fn tokens_live_out_after_their_key_stopped_signing() {
    let harness = Harness::new().await;
    let rotation = rotation(&harness);
    let plane = Authenticator::new(harness.fixture.platform.clone(), Audiences::gateway());
    let old = token(&harness).await;
    let ctx = harness.fixture.platform.begin(Actor::System("test"));
    rotation.rotate(&ctx, &keyless_testkit::system().permit("test"), Urgency::Now).await.unwrap();
    let new = token(&harness).await;
    assert_ne!(kid_of(&old), kid_of(&new));
    let check = |token: &str| plane.authenticate_token(&harness.fixture.snapshot(), token, harness.fixture.platform.clock.now());
    assert!(check(&old).is_ok() && check(&new).is_ok());
    let retiring = keys(&harness).into_iter().find(|key| key.kid.as_str() == kid_of(&old)).unwrap();
    assert_eq!((retiring.state, retiring.private.ciphertext().len()), (KeyState::Retiring, 0), "its private half is gone");
    harness.fixture.clock.advance_secs(policy().max_token_life_secs);
    rotation.step().await.unwrap();
    assert!(matches!(check(&old), Err(AuthnError::Token(_))));
}

#[tokio::test]
async fn a_revoked_key_ends_its_tokens_on_every_plane_at_once_f3() {
    let harness = Harness::new().await;
    let rotation = rotation(&harness);
    let planes = [Audiences::gateway(), Audiences::control("https://localhost:8443")]
        .map(|audiences| Authenticator::new(harness.fixture.platform.clone(), audiences));
    let stolen = token(&harness).await;
    let now = harness.fixture.platform.clock.now();
    assert!(planes[0].authenticate_token(&harness.fixture.snapshot(), &stolen, now).is_ok());
    let kid = active(&harness);
    let ctx = harness.fixture.platform.begin(Actor::System("test"));
    rotation.revoke(&ctx, &keyless_testkit::system().permit("test"), &kid).await.unwrap();
    for plane in &planes {
        assert!(plane.authenticate_token(&harness.fixture.snapshot(), &stolen, now).is_err(), "remembered tokens, too");
    }
    let jwks = harness.get(&format!("/{TENANT}/discovery/v2.0/keys")).await;
    assert!(!jwks.text.contains(kid.as_str()));
    let fresh = token(&harness).await;
    assert_ne!(kid_of(&fresh), kid.as_str());
    assert!(planes[0].authenticate_token(&harness.fixture.snapshot(), &fresh, now).is_ok());
    let again = rotation.revoke(&ctx, &keyless_testkit::system().permit("test"), &kid).await;
    assert!(matches!(again, Err(KeysError::Unknown(_))), "{again:?}");
    let operations: Vec<_> = harness.fixture.audit.events().iter().map(|event| event.operation.to_string()).collect();
    assert!(operations.contains(&"SigningKey_Revoke".to_owned()));
}

#[tokio::test]
async fn two_keepers_at_once_make_one_successor() {
    let harness = Harness::new().await;
    let (one, two) = (rotation(&harness), rotation(&harness));
    harness.fixture.clock.advance_secs(23 * HOUR);
    let (first, second) = tokio::join!(one.step(), two.step());
    first.unwrap();
    second.unwrap();
    let published = keys(&harness).iter().filter(|key| key.state == KeyState::Published).count();
    assert_eq!(published, 1);
    active(&harness);
}

#[tokio::test]
async fn a_plan_that_cannot_be_committed_changes_nothing_f1() {
    let harness = Harness::new().await;
    let before = keys(&harness);
    harness.fixture.clock.advance_secs(23 * HOUR);
    harness.fixture.audit.fail("disk full");
    assert!(matches!(rotation(&harness).step().await, Err(KeysError::Audit(_))));
    assert_eq!(keys(&harness), before);
    harness.fixture.audit.recover();
    rotation(&harness).step().await.unwrap();
    assert_eq!(keys(&harness).len(), before.len() + 1);
}

#[tokio::test]
async fn the_loop_ends_when_told_and_the_default_policy_is_sound() {
    let harness = Harness::new().await;
    let rotation = KeyRotation::new(harness.fixture.platform.clone(), keyless_testkit::system(), DEFAULT_ROTATION).unwrap();
    rotation.run(std::future::ready(())).await;
    let contradictory = RotationPolicy { interval_secs: HOUR, ..policy() };
    assert!(matches!(
        KeyRotation::new(harness.fixture.platform.clone(), keyless_testkit::system(), contradictory),
        Err(KeysError::Policy(_))
    ));
}

#[tokio::test]
async fn es256_signs_where_it_is_asked_for_and_published() {
    let config = crate::Config { es256_audiences: vec!["https://ai.azure.com/".into()], ..crate::Config::default() };
    let harness = Harness::with(config).await;
    let algorithm = |token: &str| keyless_token::Unverified::parse(token).unwrap().algorithm();
    assert_eq!(algorithm(&token(&harness).await), keyless_token::Algorithm::RS256, "no such key yet");
    let rotation = rotation(&harness).with_es256();
    rotation.step().await.unwrap();
    assert_eq!(algorithm(&token(&harness).await), keyless_token::Algorithm::RS256, "verifiers do not know the new key yet");
    harness.fixture.clock.advance_secs(policy().publish_lead_secs);
    rotation.step().await.unwrap();
    let token = token(&harness).await;
    assert_eq!(algorithm(&token), keyless_token::Algorithm::ES256);
    let plane = Authenticator::new(harness.fixture.platform.clone(), Audiences::gateway());
    assert!(plane.authenticate_token(&harness.fixture.snapshot(), &token, harness.fixture.platform.clock.now()).is_ok());
    let discovery = harness.get(&format!("/{TENANT}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(discovery.body["id_token_signing_alg_values_supported"], serde_json::json!(["RS256", "ES256"]));
}
