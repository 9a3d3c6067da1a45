//! Refresh tokens: rotation, replay, the end of a line.

use keyless_model::entity::RefreshFamily;

use super::*;

#[tokio::test]
async fn a_refresh_token_gets_other_resources_and_moves_on() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let first = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    // As `az login` does: begun at `organizations`, renewed at the tenant.
    let answer = refresh(&harness, &TENANT.to_string(), &first, "https://cognitiveservices.azure.com/.default offline_access openid").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.claims("access_token")["aud"], "https://cognitiveservices.azure.com");
    let second = refresh_token(&harness, &answer);
    assert_ne!(first, second);
    let session = answer.claims("access_token")["sid"].clone();
    let third = refresh(&harness, &TENANT.to_string(), &second, ARM_SCOPE).await;
    assert_eq!(third.claims("access_token")["sid"], session, "one sign-in, one session");
}

#[tokio::test]
async fn a_replayed_refresh_token_ends_its_whole_line() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let stolen = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    let tenant = TENANT.to_string();
    let second = refresh_token(&harness, &refresh(&harness, &tenant, &stolen, ARM_SCOPE).await);
    // A moment later it is a lost answer or a second process, not a thief: the current token is given again.
    let repeated = refresh_token(&harness, &refresh(&harness, &tenant, &stolen, ARM_SCOPE).await);
    let third = refresh_token(&harness, &refresh(&harness, &tenant, &repeated, ARM_SCOPE).await);
    harness.fixture.clock.advance_secs(61);
    for _ in 0..2 {
        let answer = refresh(&harness, &tenant, &second, ARM_SCOPE).await;
        assert_eq!((answer.code(), answer.error()), (50_173, "invalid_grant"));
    }
    assert_eq!(refresh(&harness, &tenant, &third, ARM_SCOPE).await.code(), 50_173, "the honest one must sign in again, too");
    let operations: Vec<_> = harness.fixture.audit.events().iter().map(|event| event.operation.to_string()).collect();
    assert!(operations.contains(&"RefreshToken_Revoke".to_owned()), "{operations:?}");
}

#[tokio::test]
async fn refresh_tokens_of_others_or_of_nobody_are_refused() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let token = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    let tenant = TENANT.to_string();
    let mut forged = token.clone();
    forged.replace_range(20..21, if &token[20..21] == "A" { "B" } else { "A" });
    for bad in [forged.as_str(), "k1.AAAA", "not-a-token", &token[..token.len() - 1]] {
        let answer = refresh(&harness, &tenant, bad, ARM_SCOPE).await;
        assert_eq!((answer.code(), answer.error()), (9_002_313, "invalid_grant"), "{bad}");
    }
    let app = harness.fixture.app.client_id.to_string();
    let fields = [
        ("client_id", app.as_str()),
        ("client_secret", keyless_testkit::APP_SECRET),
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("scope", ARM_SCOPE),
    ];
    assert_eq!(harness.post(&format!("/{tenant}/oauth2/v2.0/token"), &fields).await.code(), 9_002_313, "another program's");
    let other = refresh(&harness, &keyless_testkit::OTHER_TENANT.to_string(), &token, ARM_SCOPE).await;
    assert_eq!(other.error(), "invalid_grant");
}

#[tokio::test]
async fn refresh_tokens_end_with_disuse_with_age_and_with_the_account() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    let tenant = TENANT.to_string();
    let idle = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    harness.fixture.clock.advance_secs(14 * 86_400);
    assert_eq!(refresh(&harness, &tenant, &idle, ARM_SCOPE).await.code(), 700_082);

    let mut token = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    for _ in 0..12 {
        harness.fixture.clock.advance_secs(7 * 86_400);
        token = refresh_token(&harness, &refresh(&harness, &tenant, &token, ARM_SCOPE).await);
    }
    harness.fixture.clock.advance_secs(7 * 86_400);
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.code(), 700_082, "90 days from the sign-in");

    let token = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    let mut principal = Principal::clone(harness.fixture.snapshot().principal(user).unwrap());
    principal.enabled = false;
    harness.fixture.put(principal.clone()).await;
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.code(), 50_057);
    principal.enabled = true;
    harness.fixture.put(principal).await;
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.status, StatusCode::OK);
}

#[tokio::test]
async fn revoking_sessions_ends_every_token_and_a_new_sign_in_works() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    let tenant = TENANT.to_string();
    let answer = redeem(&harness, &code(&harness).await, &[]).await;
    let token = refresh_token(&harness, &answer);
    harness.fixture.clock.advance_secs(5);
    let platform = &harness.fixture.platform;
    let ctx = platform.begin(Actor::System("test"));
    let permit = keyless_testkit::system().permit("test");
    let ahead = revoke_sessions(platform, &ctx, &permit, user, ctx.now.plus_secs(1)).await;
    assert!(matches!(ahead, Err(AccountError::Future)));
    revoke_sessions(platform, &ctx, &permit, user, ctx.now.plus_secs(-60)).await.unwrap();
    let token = refresh_token(&harness, &refresh(&harness, &tenant, &token, ARM_SCOPE).await);
    revoke_sessions(platform, &ctx, &permit, user, ctx.now).await.unwrap();
    revoke_sessions(platform, &ctx, &permit, user, ctx.now.plus_secs(-60)).await.unwrap();
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.code(), 50_173, "a revocation that reaches less far undoes none");
    let control = keyless_web::Authenticator::new(platform.clone(), keyless_web::Audiences::control("https://localhost:8443"));
    let access = answer.body["access_token"].as_str().unwrap();
    let now = platform.clock.now();
    let refused = control.authenticate_token(&harness.fixture.snapshot(), access, now);
    assert!(matches!(refused, Err(keyless_web::AuthnError::Revoked { .. })), "{refused:?}");
    harness.fixture.clock.advance_secs(1);
    assert_eq!(redeem(&harness, &code(&harness).await, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_mistaken_request_costs_nobody_their_sign_in() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let token = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    let tenant = TENANT.to_string();
    for (tenant, scope) in [
        (keyless_testkit::OTHER_TENANT.to_string(), ARM_SCOPE),
        (tenant.clone(), "https://unknown.example/.default"),
        (tenant.clone(), "api://a/x api://b/y"),
    ] {
        assert_eq!(refresh(&harness, &tenant, &token, scope).await.status, StatusCode::BAD_REQUEST);
    }
    harness.fixture.clock.advance_secs(3600);
    assert_eq!(refresh(&harness, &tenant, &token, ARM_SCOPE).await.status, StatusCode::OK);
}

#[tokio::test]
async fn staying_signed_in_must_be_asked_for_at_the_sign_in() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[("scope", "https://ai.azure.com/.default openid")])).await;
    let code = browser.sign_in(&harness, NAME, PASSWORD).await.hidden("code").unwrap();
    let answer = redeem(&harness, &code, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.body.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_person_has_fifty_lines_per_program_at_most() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let first = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    let line = harness.fixture.snapshot().refresh_families().next().map(|line| RefreshFamily::clone(line)).unwrap();
    for n in 0..49 {
        let id = keyless_model::CredentialId::from_u128(n);
        let rotated = line.rotated.plus_secs(1);
        harness.fixture.put(RefreshFamily { id, rotated, ..line.clone() }).await;
    }
    let last = refresh_token(&harness, &redeem(&harness, &code(&harness).await, &[]).await);
    assert_eq!(harness.fixture.snapshot().refresh_families().count(), 50);
    assert_eq!(refresh(&harness, &TENANT.to_string(), &first, ARM_SCOPE).await.code(), 700_082, "the least recently used one made room");
    assert_eq!(refresh(&harness, &TENANT.to_string(), &last, ARM_SCOPE).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sign_in_that_was_ended_stays_ended_whatever_is_signed_in_later_i16() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let used = code(&harness).await;
    let answer = redeem(&harness, &used, &[]).await;
    refresh_token(&harness, &answer);
    let line = RefreshFamily::clone(harness.fixture.snapshot().refresh_families().next().unwrap());
    assert_eq!(redeem(&harness, &used, &[]).await.code(), 70_000, "the code was brought twice");
    for n in 0..50 {
        let id = keyless_model::CredentialId::from_u128(n);
        harness.fixture.put(RefreshFamily { id, rotated: line.rotated.plus_secs(1), ..line.clone() }).await;
    }
    redeem(&harness, &code(&harness).await, &[]).await;
    let snapshot = harness.fixture.snapshot();
    assert!(snapshot.refresh_family(line.id).is_some_and(|line| line.revoked), "it makes no room for others");
    assert_eq!(snapshot.refresh_families().filter(|line| !line.revoked).count(), 50);
    harness.fixture.clock.advance_secs(5400 + 60);
    redeem(&harness, &code(&harness).await, &[]).await;
    assert!(harness.fixture.snapshot().refresh_family(line.id).is_none(), "until its last token is over");
}

#[tokio::test]
async fn a_token_whose_line_is_gone_is_refused_i16() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let control =
        keyless_web::Authenticator::new(harness.fixture.platform.clone(), keyless_web::Audiences::control("https://localhost:8443"));
    let answer = redeem(&harness, &code(&harness).await, &[]).await;
    refresh_token(&harness, &answer);
    let token = answer.body["access_token"].as_str().unwrap();
    let holds = || control.authenticate_token(&harness.fixture.snapshot(), token, harness.fixture.platform.clock.now());
    holds().expect("it is good");
    let line = RefreshFamily::clone(harness.fixture.snapshot().refresh_families().next().unwrap());
    harness.fixture.put(RefreshFamily { user: keyless_model::ObjectId::from_u128(0xfeed), ..line.clone() }).await;
    assert!(matches!(holds(), Err(keyless_web::AuthnError::Revoked { .. })), "it is another's");
    harness.fixture.delete(line).await;
    assert!(matches!(holds(), Err(keyless_web::AuthnError::Revoked { .. })), "made room, or was set aside at the start");
}
