use std::time::Duration;

use serde_json::json;

use super::*;
use crate::fake;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn attach(header: &str) -> AttachRequest {
    AttachRequest { identity: "demo-app".into(), kind: "run".into(), header: header.into(), label: "python".into(), ttl_secs: None }
}

fn attached(id: &str) -> String {
    json!({ "id": id, "identity": fake::identity("demo-app", '1'), "identity_endpoint": "http://127.0.0.1:1/msi/token", "until": null })
        .to_string()
}

#[test]
fn a_folder_where_nothing_runs_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let failure = block_on(Local::of(folder.path()).status()).unwrap_err();
    assert!(matches!(failure, LocalFailure::NotRunning(_)), "{failure:?}");
    // A socket that a killed system left behind.
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("keyless.sock")).unwrap());
    let failure = block_on(Local::of(folder.path()).status()).unwrap_err();
    assert!(matches!(failure, LocalFailure::NotRunning(_)), "{failure:?}");
    assert!(Failure::from(failure).next.unwrap().contains("keyless up"));
}

#[test]
fn the_status_is_read_as_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let requests = fake::local_socket(folder.path(), 1, |_| (200, serde_json::to_string(&fake::status()).unwrap()));
    assert_eq!(block_on(Local::of(folder.path()).status()).unwrap(), fake::status());
    assert_eq!(requests.recv().unwrap().line, "GET /status");
}

#[test]
fn a_refusal_keeps_the_systems_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let _requests = fake::local_socket(folder.path(), 1, |_| (400, json!({ "message": "there is no identity `nobody`" }).to_string()));
    let failure = block_on(Local::of(folder.path()).token("nobody", "r")).unwrap_err();
    assert_eq!(failure.to_string(), "there is no identity `nobody`");
}

#[test]
fn a_token_is_a_secret_from_the_first_line_on() {
    let folder = tempfile::tempdir().unwrap();
    let _requests = fake::local_socket(folder.path(), 1, |request| {
        assert_eq!(request.body, r#"{"identity":"demo-app","resource":"https://r"}"#);
        (200, json!({ "access_token": "a.b.c", "expires": 1000, "identity": fake::identity("demo-app", '1') }).to_string())
    });
    let (token, answer) = block_on(Local::of(folder.path()).token("demo-app", "https://r")).unwrap();
    assert_eq!(token.expose(), "a.b.c");
    assert!(answer.access_token.is_empty());
    assert!(!format!("{token:?} {answer:?}").contains("a.b.c"));
}

#[test]
fn a_lease_is_lost_when_its_connection_ends_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    // The first connection ends after its one answer; the second stays.
    let requests = fake::local_socket(folder.path(), 1, |_| (200, attached("a1")));
    block_on(async {
        let mut lease = Local::of(folder.path()).attach_run(&attach("secret")).await.unwrap();
        assert_eq!(lease.attached.id, "a1");
        tokio::time::timeout(Duration::from_secs(5), lease.lost()).await.expect("the connection has ended");
        // Asking again is harmless.
        lease.lost().await;
    });
    assert!(requests.recv().unwrap().body.contains("secret"));

    let folder = tempfile::tempdir().unwrap();
    let _requests = fake::local_socket(folder.path(), 9, |_| (200, attached("a2")));
    block_on(async {
        let mut lease = Local::of(folder.path()).attach_run(&attach("secret")).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(100), lease.lost()).await.is_err(), "the system still holds the connection");
    });
}

#[test]
fn the_id_of_a_loan_cannot_reach_another_path() {
    let folder = tempfile::tempdir().unwrap();
    let requests = fake::local_socket(folder.path(), 1, |_| (200, "{}".into()));
    block_on(Local::of(folder.path()).detach("../token?x")).unwrap();
    assert_eq!(requests.recv().unwrap().line, "DELETE /attachments/%2E%2E%2Ftoken%3Fx");
}

#[test]
fn a_request_never_shows_its_header_secret() {
    assert!(!format!("{:?}", attach("secret")).contains("secret"));
}
