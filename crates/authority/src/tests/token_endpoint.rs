//! The token endpoint before any grant: what is a request, and what is not.

use axum::body::Body;
use http::Request;
use keyless_testkit::{APP_SECRET, TENANT};

use super::harness::{Harness, form};

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

fn path() -> String {
    format!("/{TENANT}/oauth2/v2.0/token")
}

fn good(harness: &Harness) -> String {
    format!("grant_type=client_credentials&client_id={}&client_secret={APP_SECRET}&scope={SCOPE}", harness.fixture.app.client_id)
}

#[tokio::test]
async fn missing_unknown_and_password_grants_are_refused_n74() {
    let harness = Harness::new().await;
    assert_eq!(harness.post(&path(), &[("client_id", "x")]).await.code(), 900_144);
    for grant in ["password", "implicit", "CLIENT_CREDENTIALS", "urn:ietf:params:oauth:grant-type:saml2-bearer"] {
        let fields = [("grant_type", grant), ("username", "a@keyless.test"), ("password", "hunter2-hunter2"), ("client_id", "x")];
        let answer = harness.post(&path(), &fields).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (70_003, 400, "unsupported_grant_type"), "{grant}");
    }
}

#[tokio::test]
async fn parameters_given_twice_are_refused_n76() {
    let harness = Harness::new().await;
    harness.keep_secret(APP_SECRET);
    for twice in ["client_secret=other-secret", "CLIENT_ID=x", "scope=y", "grant_type=client_credentials"] {
        let body = format!("{}&{twice}", good(&harness));
        let answer = harness.send(form(&path()).body(body.into()).unwrap()).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (9_002_313, 400), "{twice}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_form_are_refused_n77() {
    let harness = Harness::new().await;
    harness.keep_secret(APP_SECRET);
    let types = [Some("application/json"), Some("multipart/form-data; boundary=x"), Some("text/plain"), Some(""), None];
    for content_type in types {
        let mut request = Request::post(path());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = harness.send(request.body(good(&harness).into()).unwrap()).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (900_561, 415), "{content_type:?}");
    }
    let with_charset = Request::post(path()).header("content-type", "application/x-www-form-urlencoded;charset=utf-8");
    assert_eq!(harness.send(with_charset.body(good(&harness).into()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn other_methods_are_refused_n78() {
    let harness = Harness::new().await;
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = harness.send(Request::builder().method(method).uri(path()).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (900_561, 405), "{method}");
        assert_eq!(answer.headers["allow"], "POST,OPTIONS", "a page in a browser asks before it posts");
    }
}

#[tokio::test]
async fn credentials_in_the_url_are_refused_and_not_logged_n79() {
    let harness = Harness::new().await;
    harness.keep_secret(APP_SECRET);
    for query in [format!("client_secret={APP_SECRET}"), format!("Client_Assertion={APP_SECRET}"), good(&harness), "scope=x".into()] {
        let answer = harness.send(form(&format!("{}?{query}", path())).body(good(&harness).into()).unwrap()).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (9_002_313, 400), "{query}");
    }
    // Azure's JavaScript library sends its correlation id there.
    let harmless = format!("{}?client-request-id=8b6dbb4c-fc4c-4b1d-9a6e-6a9b2f4f3a01", path());
    assert_eq!(harness.send(form(&harmless).body(good(&harness).into()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn two_ways_to_authenticate_are_refused_n44_n80() {
    let harness = Harness::new().await;
    harness.keep_secret(APP_SECRET);
    let basic = form(&path()).header("authorization", "Basic eDp5").body(good(&harness).into()).unwrap();
    assert_eq!(harness.send(basic).await.code(), 9_002_313);
    let both = format!("{}&client_assertion=a.b.c", good(&harness));
    let answer = harness.send(form(&path()).body(both.into()).unwrap()).await;
    assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (9_002_313, 400, "invalid_request"));
    let neither = good(&harness).replace("client_secret", "unused");
    let answer = harness.send(form(&path()).body(neither.into()).unwrap()).await;
    assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (7_000_216, 401, "invalid_client"));
}

#[tokio::test]
async fn a_secret_in_the_authorization_header_is_taken_alone_n80() {
    let harness = Harness::new().await;
    harness.keep_secret(APP_SECRET);
    let client_id = harness.fixture.app.client_id.to_string();
    let basic = |id: &str, secret: &str| {
        use base64::Engine as _;
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let joined = format!("{}:{}", encoded(id), encoded(secret));
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(joined))
    };
    let body = "grant_type=client_credentials&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default";
    let ask =
        |authorization: String, body: String| harness.send(form(&path()).header("authorization", authorization).body(body.into()).unwrap());
    let answer = ask(basic(&client_id, APP_SECRET), body.to_owned()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = ask(basic(&client_id, APP_SECRET), format!("{body}&client_id={client_id}")).await;
    assert_eq!(answer.status, 200, "the id may be said twice, when it is the same");
    let wrong = ask(basic(&client_id, "wrong-secret"), body.to_owned()).await;
    assert_eq!(
        (wrong.code(), wrong.status.as_u16(), &wrong.headers["www-authenticate"]),
        (7_000_215, 401, &"Basic realm=\"keyless\"".parse().unwrap())
    );
    for more in ["client_secret=x", "client_assertion=a.b.c", "client_id=00000000-0000-0000-0000-00000000000f"] {
        let answer = ask(basic(&client_id, APP_SECRET), format!("{body}&{more}")).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (9_002_313, 400), "{more}");
    }
    let bearer = ask(format!("Bearer {APP_SECRET}"), good(&harness)).await;
    assert_eq!((bearer.code(), bearer.status.as_u16()), (9_002_313, 400));
    let elsewhere = form("/common/oauth2/v2.0/devicecode").header("authorization", basic(&client_id, APP_SECRET));
    assert_eq!(harness.send(elsewhere.body("scope=openid".into()).unwrap()).await.code(), 9_002_313, "at the token endpoint only");
}

#[tokio::test]
async fn a_token_file_with_a_line_break_at_its_end_is_refused_with_the_cure() {
    let harness = Harness::new().await;
    harness.keep_secret("eyJhbGciOi");
    let body = good(&harness).replace("client_secret=", "unused=") + "&client_assertion=eyJhbGciOi%0A";
    let answer = harness.send(form(&path()).body(body.into()).unwrap()).await;
    assert_eq!((answer.code(), answer.status.as_u16()), (9_002_313, 400));
    let told = answer.body["error_description"].as_str().unwrap();
    assert!(told.contains("`client_assertion`") && told.contains("line break"), "{told}");
}

#[tokio::test]
async fn oversized_requests_are_refused_n81() {
    let harness = Harness::new().await;
    let large = format!("{}&x={}", good(&harness), "a".repeat(64 * 1024));
    let many = (0..101).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    for body in [large, many] {
        let answer = harness.send(form(&path()).body(body.into()).unwrap()).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (90_015, 413));
    }
}

#[tokio::test]
async fn line_breaks_reach_neither_header_nor_log_n86() {
    let harness = Harness::new().await;
    let body = good(&harness).replace("client_id=", "client_id=a%0d%0aSet-Cookie:%20x=y%0d%0a");
    let answer = harness.send(form(&path()).body(body.into()).unwrap()).await;
    assert_eq!((answer.code(), answer.status.as_u16()), (9_002_313, 400));
    assert!(answer.headers.get("set-cookie").is_none());
    let query = format!("{}?client-request-id=a%0d%0aSet-Cookie:%20x=y", path());
    assert_eq!(harness.send(form(&query).body(good(&harness).into()).unwrap()).await.code(), 9_002_313);
    let odd = form(&path()).header("client-request-id", "a\"b<c>").body(good(&harness).into()).unwrap();
    let answer = harness.send(odd).await;
    assert!(answer.headers.get("client-request-id").is_none(), "an odd correlation id is not echoed");
    let fine = form(&path()).header("client-request-id", "8b6dbb4c-fc4c").body(good(&harness).into()).unwrap();
    assert_eq!(harness.send(fine).await.headers["client-request-id"], "8b6dbb4c-fc4c");
    let tenant = harness.post("/a%0d%0ab/oauth2/v2.0/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(tenant.code(), 90_002);
    let logged = harness.logged();
    assert!(logged.iter().any(|line| line.contains("a??b")), "the refusal is in the log, on a line of its own: {logged:?}");
    assert!(!logged.iter().any(|line| line.starts_with('b')), "{logged:?}");
    assert!(!tenant.text.contains("\\r") && tenant.text.contains("a??b"), "{}", tenant.text);
}

#[tokio::test]
async fn an_unreadable_claims_parameter_is_refused() {
    let harness = Harness::new().await;
    let body = format!("{}&claims=%5B%5D", good(&harness));
    assert_eq!(harness.send(form(&path()).body(body.into()).unwrap()).await.code(), 9_002_313);
}

#[tokio::test]
async fn many_refusals_of_a_stranger_are_counted_d5_i7() {
    let harness = Harness::new().await;
    for _ in 0..50 {
        assert_eq!(harness.post(&path(), &[("client_id", "x")]).await.code(), 900_144);
    }
    harness.fixture.platform.write_counts(true).unwrap();
    let events = harness.fixture.audit.take();
    assert_eq!(events.len(), 5 + 1);
    assert_eq!(events[5].repeated.map(|repeated| repeated.number), Some(45));
}
