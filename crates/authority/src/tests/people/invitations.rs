//! Invitations: each link makes one account, until it is used, withdrawn, replaced or too old.

use keyless_model::OpContext;
use keyless_model::entity::{Invitation, InvitedAs};

use super::*;
use crate::{AccountError, has_administrator, pending, withdraw};

const FIELDS: [(&str, &str); 2] = [("new_password", PASSWORD), ("again", PASSWORD)];

fn new(name: &str, rights: InvitedAs) -> NewInvitation {
    NewInvitation { tenant: TENANT, user_principal_name: name.into(), display_name: name.into(), rights, lifetime_secs: 3600 }
}

fn ctx(harness: &Harness) -> OpContext {
    harness.fixture.platform.begin(Actor::System("test"))
}

/// The path of a link.
async fn link(harness: &Harness, name: &str, rights: InvitedAs) -> Result<String, AccountError> {
    let link = invite(&harness.fixture.platform, &ctx(harness), &keyless_testkit::system().permit("test"), new(name, rights)).await?;
    let path = link.expose().strip_prefix("https://localhost:8443").unwrap().to_owned();
    harness.keep_secret(path.split('=').nth(1).unwrap());
    Ok(path)
}

async fn end(harness: &Harness, name: &str) -> Result<(), AccountError> {
    withdraw(&harness.fixture.platform, &ctx(harness), &keyless_testkit::system().permit("test"), name).await
}

fn names(harness: &Harness) -> Vec<String> {
    pending(&harness.fixture.snapshot(), ctx(harness).now).iter().map(|one| one.user_principal_name.clone()).collect()
}

/// A browser with the page behind the link, if there is one.
async fn page(harness: &Harness, path: &str) -> Option<Browser> {
    let mut browser = Browser::default();
    let answer = browser.open(harness, path).await;
    let open = answer.text.contains("Welcome, ");
    assert_eq!(answer.status, if open { StatusCode::OK } else { StatusCode::BAD_REQUEST }, "{}", answer.text);
    open.then_some(browser)
}

/// What the password page answers.
async fn accept(harness: &Harness, browser: &mut Browser) -> Result<(), String> {
    let answer = browser.submit(harness, "/common/password", &FIELDS).await;
    if answer.text.contains("Your account is ready") { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text)) }
}

fn exists(harness: &Harness, name: &str) -> bool {
    harness.fixture.snapshot().user_named(name).is_some()
}

#[tokio::test]
async fn an_invitation_makes_one_administrator_once() {
    let harness = Harness::new().await;
    let path = link(&harness, "root@keyless.test", InvitedAs::Owner).await.unwrap();
    let mut browser = page(&harness, &path).await.unwrap();
    assert_eq!(names(&harness), ["root@keyless.test"]);
    accept(&harness, &mut browser).await.unwrap();
    let snapshot = harness.fixture.snapshot();
    let request = keyless_rbac::Request {
        principal: snapshot.user_named("root@keyless.test").unwrap().id,
        action: "Microsoft.Authorization/roleAssignments/write",
        plane: keyless_rbac::Plane::Control,
        scope: &harness.fixture.account,
        attributes: keyless_rbac::Attributes::NONE,
    };
    assert!(snapshot.policy().decide(&request).is_allowed());
    assert!(page(&harness, &path).await.is_none(), "the link is spent");
    assert!(accept(&harness, &mut browser).await.is_err());
    assert!(names(&harness).is_empty());
}

#[tokio::test]
async fn of_two_links_for_the_first_administrator_one_makes_an_owner() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    assert!(!has_administrator(&harness.fixture.snapshot()), "programs that own everything, and a person without a role");
    let first = link(&harness, "first@keyless.test", InvitedAs::FirstAdministrator).await.unwrap();
    let second = link(&harness, "second@keyless.test", InvitedAs::FirstAdministrator).await.unwrap();
    let (mut one, mut two) = (page(&harness, &first).await.unwrap(), page(&harness, &second).await.unwrap());
    accept(&harness, &mut one).await.unwrap();
    assert!(has_administrator(&harness.fixture.snapshot()));
    let refused = accept(&harness, &mut two).await.unwrap_err();
    assert!(refused.contains("400") && refused.contains("has an administrator by now"), "{refused}");
    assert!(!exists(&harness, "second@keyless.test"));
    assert!(page(&harness, &second).await.is_none());
    for name in ["third@keyless.test", "first@keyless.test"] {
        let refused = link(&harness, name, InvitedAs::FirstAdministrator).await;
        assert!(matches!(refused, Err(AccountError::AdministratorExists)), "{name}");
    }
}

#[tokio::test]
async fn a_withdrawn_invitation_makes_no_account_i15() {
    let harness = Harness::new().await;
    let path = link(&harness, "eve@keyless.test", InvitedAs::Owner).await.unwrap();
    let kept = link(&harness, "ada@keyless.test", InvitedAs::Member).await.unwrap();
    let mut opened = page(&harness, &path).await.unwrap();
    assert!(matches!(end(&harness, "nobody@keyless.test").await, Err(AccountError::NotInvited)));
    end(&harness, "EVE@keyless.test").await.unwrap();
    assert_eq!(harness.fixture.audit.last().operation, "User_WithdrawInvitation");
    assert!(page(&harness, &path).await.is_none());
    let refused = accept(&harness, &mut opened).await.unwrap_err();
    assert!(refused.contains("withdrawn") && !exists(&harness, "eve@keyless.test"), "a page that was open already: {refused}");
    assert!(matches!(end(&harness, "eve@keyless.test").await, Err(AccountError::NotInvited)));
    assert_eq!(names(&harness), ["ada@keyless.test"]);
    assert!(page(&harness, &kept).await.is_some(), "others' links go on");
}

#[tokio::test]
async fn a_newer_invitation_for_the_same_name_replaces_the_older_i15() {
    let harness = Harness::new().await;
    let older = link(&harness, "ada@keyless.test", InvitedAs::Owner).await.unwrap();
    let mut opened = page(&harness, &older).await.unwrap();
    let newer = link(&harness, "Ada@keyless.test", InvitedAs::Member).await.unwrap();
    assert_eq!(names(&harness), ["Ada@keyless.test"]);
    assert!(page(&harness, &older).await.is_none() && accept(&harness, &mut opened).await.is_err());
    accept(&harness, &mut page(&harness, &newer).await.unwrap()).await.unwrap();
    assert!(!has_administrator(&harness.fixture.snapshot()), "with the rights of the newer one");
}

#[tokio::test]
async fn an_expired_invitation_makes_no_account_and_leaves_the_directory_i15() {
    let harness = Harness::new().await;
    let path = link(&harness, "late@keyless.test", InvitedAs::Owner).await.unwrap();
    harness.fixture.clock.advance_secs(3599);
    let mut opened = page(&harness, &path).await.unwrap();
    harness.fixture.clock.advance_secs(1);
    assert!(page(&harness, &path).await.is_none() && names(&harness).is_empty());
    assert!(accept(&harness, &mut opened).await.is_err() && !exists(&harness, "late@keyless.test"));
    assert!(matches!(end(&harness, "late@keyless.test").await, Err(AccountError::NotInvited)));
    link(&harness, "other@keyless.test", InvitedAs::Member).await.unwrap();
    assert_eq!(harness.fixture.snapshot().invitations().count(), 1, "the next one sweeps");
}

#[tokio::test]
async fn a_used_link_makes_no_second_account_whatever_became_of_the_first_i15() {
    let harness = Harness::new().await;
    let used = link(&harness, "ada@keyless.test", InvitedAs::Owner).await.unwrap();
    let open = link(&harness, "bea@keyless.test", InvitedAs::Member).await.unwrap();
    accept(&harness, &mut page(&harness, &used).await.unwrap()).await.unwrap();
    let snapshot = harness.fixture.snapshot();
    let user = snapshot.user_named("ada@keyless.test").unwrap();
    harness.fixture.delete(Principal::clone(snapshot.principal(user.id).unwrap())).await;
    harness.fixture.delete(User::clone(user)).await;
    assert!(page(&harness, &used).await.is_none(), "the account was removed; the link does not bring it back");
    let restarted = Harness::over(harness.fixture.another_node().await, crate::Config::default());
    assert!(page(&restarted, &used).await.is_none());
    accept(&restarted, &mut page(&restarted, &open).await.unwrap()).await.unwrap();
    assert!(page(&restarted, &open).await.is_none());
}

#[tokio::test]
async fn an_account_that_is_made_in_another_way_ends_the_invitation_i15() {
    let harness = Harness::new().await;
    let path = link(&harness, NAME, InvitedAs::Owner).await.unwrap();
    let mut opened = page(&harness, &path).await.unwrap();
    person(&harness, false).await;
    assert!(names(&harness).is_empty() && page(&harness, &path).await.is_none());
    assert!(accept(&harness, &mut opened).await.is_err());
    assert!(!has_administrator(&harness.fixture.snapshot()));
}

#[tokio::test]
async fn a_thousand_invitations_are_open_at_most_i15() {
    let harness = Harness::new().await;
    link(&harness, "first@keyless.test", InvitedAs::Member).await.unwrap();
    let one = Invitation::clone(harness.fixture.snapshot().invitations().next().unwrap());
    let more = (0..999).map(|n| {
        let (user, user_principal_name) = (ObjectId::from_u128(n), format!("n{n}@keyless.test"));
        keyless_model::entity::Mutation::put(Invitation { user, user_principal_name, ..one.clone() })
    });
    harness.fixture.apply(more).await;
    assert!(matches!(link(&harness, "more@keyless.test", InvitedAs::Member).await, Err(AccountError::TooManyInvitations)));
    link(&harness, "n7@keyless.test", InvitedAs::Member).await.expect("one that replaces another takes no room");
    end(&harness, "n8@keyless.test").await.unwrap();
    link(&harness, "more@keyless.test", InvitedAs::Member).await.expect("a withdrawn one leaves room");
}
