//! Passwords that must change.

use super::*;

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
