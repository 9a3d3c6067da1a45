//! Passwords that must change, and invitations.

use super::*;
use crate::{AccountError, has_administrator};

#[tokio::test]
async fn a_first_password_must_be_changed_and_a_change_ends_older_sign_ins() {
    let harness = Harness::new().await;
    let user = person(&harness, true).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[])).await;
    let page = browser.sign_in(&harness, NAME, PASSWORD).await;
    assert!(page.text.contains("Choose a new password") && page.hidden("code").is_none(), "{}", page.text);
    for (new, again, told) in [
        ("a better long password", "another long password", "differ"),
        ("short", "short", "12 characters"),
        (PASSWORD, PASSWORD, "is the old one"),
    ] {
        let answer = browser.submit(&harness, "/common/password", &[("new_password", new), ("again", again)]).await;
        assert!(answer.text.contains(told) && answer.hidden("code").is_none(), "{}", answer.text);
    }
    harness.fixture.clock.advance_secs(5);
    let better = "a better long password";
    let done = browser.submit(&harness, "/common/password", &[("new_password", better), ("again", better)]).await;
    let code = done.hidden("code").unwrap_or_else(|| panic!("{}", done.text));
    let from = harness.fixture.snapshot().principal(user).unwrap().tokens_valid_from;
    assert_eq!(from, Some(harness.fixture.platform.clock.now()), "access tokens of the old password end, too");
    let token = refresh_token(&harness, &redeem(&harness, &code, &[]).await);
    let back = "a third long password";
    let again = browser.submit(&harness, "/common/password", &[("new_password", back), ("again", back)]).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "the page before, by the back button: {}", again.text);
    browser.open(&harness, &authorize(&[])).await;
    assert!(browser.sign_in(&harness, NAME, PASSWORD).await.hidden("code").is_none(), "the old password is dead");
    harness.fixture.clock.advance_secs(5);
    let mut row = User::clone(harness.fixture.snapshot().user(user).unwrap());
    row.password.as_mut().unwrap().changed = harness.fixture.platform.clock.now();
    harness.fixture.put(row).await;
    assert_eq!(refresh(&harness, &TENANT.to_string(), &token, ARM_SCOPE).await.code(), 50_173);
}

#[tokio::test]
async fn an_invitation_makes_one_administrator_once() {
    let harness = Harness::new().await;
    let platform = &harness.fixture.platform;
    let new = || NewInvitation {
        tenant: TENANT,
        user_principal_name: "root@keyless.test".into(),
        display_name: "Root".into(),
        rights: InvitedAs::Owner,
        lifetime_secs: 3600,
    };
    let link = invite(platform, &platform.begin(Actor::System("test")), new()).unwrap();
    let path = link.expose().strip_prefix("https://localhost:8443").unwrap().to_owned();
    harness.keep_secret(path.split('=').nth(1).unwrap());
    let mut browser = Browser::default();
    let page = browser.open(&harness, &path).await;
    assert!(page.text.contains("Welcome, Root"), "{}", page.text);
    let fields = [("new_password", PASSWORD), ("again", PASSWORD)];
    let done = browser.submit(&harness, "/common/password", &fields).await;
    assert!(done.text.contains("Your account is ready"), "{}", done.text);
    let snapshot = harness.fixture.snapshot();
    let user = snapshot.user_named("root@keyless.test").unwrap().id;
    let request = keyless_rbac::Request {
        principal: user,
        action: "Microsoft.Authorization/roleAssignments/write",
        plane: keyless_rbac::Plane::Control,
        scope: &harness.fixture.account,
        attributes: keyless_rbac::Attributes::NONE,
    };
    assert!(snapshot.policy().decide(&request).is_allowed());
    assert_eq!(Browser::default().open(&harness, &path).await.status, StatusCode::BAD_REQUEST, "the link is spent");
    assert_eq!(browser.submit(&harness, "/common/password", &fields).await.status, StatusCode::BAD_REQUEST);
    let late = NewInvitation { user_principal_name: "late@keyless.test".into(), ..new() };
    let link = invite(platform, &platform.begin(Actor::System("test")), late).unwrap();
    harness.fixture.clock.advance_secs(3601);
    let path = link.expose().strip_prefix("https://localhost:8443").unwrap().to_owned();
    harness.keep_secret(path.split('=').nth(1).unwrap());
    assert_eq!(Browser::default().open(&harness, &path).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn of_two_links_for_the_first_administrator_one_makes_an_owner() {
    let harness = Harness::new().await;
    let platform = &harness.fixture.platform;
    let link = |name: &str| {
        let new = NewInvitation {
            tenant: TENANT,
            user_principal_name: name.into(),
            display_name: name.into(),
            rights: InvitedAs::FirstAdministrator,
            lifetime_secs: 3600,
        };
        let link = invite(platform, &platform.begin(Actor::System("test")), new);
        link.map(|link| link.expose().strip_prefix("https://localhost:8443").unwrap().to_owned())
    };
    person(&harness, false).await;
    assert!(!has_administrator(&harness.fixture.snapshot()), "programs that own everything, and a person without a role");
    let (first, second) = (link("first@keyless.test").unwrap(), link("second@keyless.test").unwrap());
    let fields = [("new_password", PASSWORD), ("again", PASSWORD)];
    let (mut one, mut two) = (Browser::default(), Browser::default());
    one.open(&harness, &first).await;
    assert!(two.open(&harness, &second).await.text.contains("Welcome"));
    assert!(one.submit(&harness, "/common/password", &fields).await.text.contains("Your account is ready"));
    assert!(has_administrator(&harness.fixture.snapshot()));
    let refused = two.submit(&harness, "/common/password", &fields).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.text.contains("has an administrator by now"), "{}", refused.text);
    assert!(harness.fixture.snapshot().user_named("second@keyless.test").is_none());
    assert_eq!(two.open(&harness, &second).await.status, StatusCode::BAD_REQUEST);
    for name in ["third@keyless.test", "first@keyless.test"] {
        assert!(matches!(link(name), Err(AccountError::AdministratorExists)), "{name}");
    }
}
