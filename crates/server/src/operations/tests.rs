use http_body_util::BodyExt as _;
use keyless_testkit::TestPlatform;

use super::*;

async fn operations() -> (TestPlatform, Operations) {
    let test = TestPlatform::new().await;
    let operations = Operations::new(Arc::clone(&test.platform), Capacity::of(1_024, 2, 0));
    (test, operations)
}

async fn get(operations: &Operations, path: &str) -> (StatusCode, String) {
    let response = operations.handle(&Request::get(path).body(()).unwrap());
    let status = response.status();
    (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn a_system_is_ready_when_it_says_so_and_everything_it_needs_writes_d15() {
    let (test, operations) = operations().await;
    assert_eq!(get(&operations, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, "starting or stopping\n".to_owned()));
    operations.set_ready(true);
    assert_eq!(get(&operations, "/readyz").await, (StatusCode::OK, "ok\n".to_owned()));

    operations.set_state(Err("the disk did not confirm an earlier write"));
    let (status, body) = get(&operations, "/readyz").await;
    assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "the disk did not confirm an earlier write\n"));
    assert!(get(&operations, "/metrics").await.1.contains("keyless_state_writable 0"));
    operations.set_state(Ok::<_, &str>(()));

    test.audit.fail("the disk is full");
    let (status, body) = get(&operations, "/readyz").await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && body != "ok\n", "{body}");
    assert!(get(&operations, "/metrics").await.1.contains("keyless_audit_writable 0"));
    // Alive all the same: a restart by a supervisor would mend nothing.
    assert_eq!(get(&operations, "/healthz").await.0, StatusCode::OK);
    test.audit.recover();

    operations.set_ready(false);
    assert_eq!(get(&operations, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE, "while it stops");
}

#[tokio::test]
async fn nothing_but_get_and_three_paths_is_answered() {
    let (_test, operations) = operations().await;
    assert_eq!(get(&operations, "/").await.0, StatusCode::NOT_FOUND);
    let post = Request::post("/metrics").body(()).unwrap();
    assert_eq!(operations.handle(&post).status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn metrics_keep_their_names_and_types() {
    let (_test, operations) = operations().await;
    operations.count(Service::PlainGateway, StatusCode::NOT_FOUND);
    let (_, text) = get(&operations, "/metrics").await;
    for line in [
        concat!("keyless_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "keyless_audit_writable 1",
        "keyless_state_writable 1",
        "keyless_audit_low_space 0",
        "keyless_connections{listener=\"planes\"} 0",
        "keyless_connections_turned_away_total 0",
        "# TYPE keyless_answers counter",
        "keyless_answers_total{listener=\"gateway_http\",status=\"4xx\"} 1",
        "keyless_answers_total{listener=\"operations\",status=\"5xx\"} 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
    for name in ["keyless_directory_revision ", "keyless_audit_bytes ", "keyless_audit_free_bytes ", "keyless_connections_limit{"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}: {text}");
    }
}
