//! Wrong passwords, over HTTP: side by side, and from callers who hang up.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use keyless_audit::Outcome;
use keyless_model::entity::UserPassword;

use super::*;

/// Counts the sign-ins that the audit knows of, and those among them whose caller hung up.
fn recorded(harness: &Harness) -> (usize, usize) {
    let events = harness.fixture.audit.events();
    let sign_ins = events.iter().filter(|event| event.operation == "User_SignIn" && event.outcome == Outcome::Denied);
    let reasons: Vec<_> = sign_ins.map(|event| event.decision.clone().unwrap().because).collect();
    (reasons.len(), reasons.iter().filter(|reason| reason.contains("hung up")).count())
}

/// Sends a password and hangs up as soon as it is being looked at.
async fn hang_up(harness: &Harness, browser: &Browser, name: &str) -> bool {
    let mut call = pin!(harness.answer(browser.request("/common/login", &[("username", name), ("password", "wrong password here")])));
    poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_caller_who_hangs_up_frees_no_place_and_is_counted_and_recorded_i1() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    // A hash that takes long, so that it is still at work when we look.
    let mut row = User::clone(harness.fixture.snapshot().user(user).unwrap());
    let slow = "$argon2id$v=19$m=19456,t=40,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    row.password = Some(UserPassword { hash: slow.to_owned(), ..row.password.unwrap() });
    harness.fixture.put(row).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[])).await;

    for attempt in 1..=2 {
        assert!(hang_up(&harness, &browser, NAME).await);
        assert_eq!(harness.fixture.platform.passwords.running(), attempt, "nobody waits for it, and it runs");
        assert_eq!(recorded(&harness), (attempt, attempt));
    }
    for _ in 3..=5 {
        assert!(hang_up(&harness, &browser, NAME).await, "it waits for its turn");
        assert_eq!(harness.fixture.platform.passwords.running(), 2, "two at once, whoever hangs up");
    }
    let locked = browser.sign_in(&harness, NAME, PASSWORD).await;
    assert!(locked.text.contains("Too many attempts"), "{}", locked.text);
    assert_eq!(recorded(&harness), (6, 5));
}

#[tokio::test]
async fn of_forty_guesses_at_once_five_are_tried_i3() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[])).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..40 {
        let password = format!("wrong password number {n}");
        tasks.spawn(harness.answer(browser.request("/common/login", &[("username", NAME), ("password", &password)])));
    }
    let answers = tasks.join_all().await;
    let told = |text: &str| answers.iter().filter(|answer| answer.text.contains(text)).count();
    assert_eq!((told("The user name or the password is wrong"), told("Too many attempts")), (5, 35));
    assert_eq!(recorded(&harness), (10, 0), "the first five of either kind, one by one");
}

#[tokio::test]
async fn a_password_that_is_too_long_counts_like_any_other_i3() {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[])).await;
    for _ in 0..5 {
        assert!(browser.sign_in(&harness, NAME, &"x".repeat(600)).await.text.contains("is wrong"));
    }
    assert!(browser.sign_in(&harness, NAME, PASSWORD).await.text.contains("Too many attempts"));
}

#[tokio::test]
async fn the_guesses_at_a_password_are_in_the_log_after_any_noise_d5_i7() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    let mut browser = Browser::default();
    browser.open(&harness, &authorize(&[])).await;
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    for n in 0..60 {
        for reason in ["client_id=x", "grant_type=x"] {
            let mut request = form(&path).body(reason.into()).unwrap();
            request.extensions_mut().insert(keyless_web::Peer(([198, 51, 100, n], 4000).into()));
            harness.send(request).await;
        }
    }
    for _ in 0..4 {
        assert!(browser.sign_in(&harness, NAME, "wrong password here").await.text.contains("is wrong"));
    }
    let events = harness.fixture.audit.events();
    let told = |text: &str| text.starts_with("AADSTS50126") && text.contains(&user.to_string());
    assert_eq!(events.iter().filter(|event| told(&event.decision.as_ref().unwrap().because)).count(), 4);
}
