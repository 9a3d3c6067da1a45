//! A page in a browser signs people in, as MSAL.js does: the requests of `@azure/msal-browser`, with what a browser adds to them.

use keyless_model::entity::{Application, RefreshFamily};
use keyless_testkit::APP_SECRET;

use super::*;

const PAGE: &str = "https://page.example";
const PAGE_URI: &str = "https://page.example/signed-in?from=keyless";
const SERVER_URI: &str = "https://server.example/signed-in";
const SCOPE: &str = "https://ai.azure.com/.default openid profile offline_access";
const HEADERS: &str = "content-type,x-anchormailbox,x-client-sku,x-client-ver,authorization,cookie,x-evil";

/// The fixture's application has a page and a server; a second one has a page of its own.
async fn system() -> (Harness, Application, Application) {
    let harness = Harness::new().await;
    person(&harness, false).await;
    let snapshot = harness.fixture.snapshot();
    let mut app = Application::clone(snapshot.application_of(harness.fixture.app.client_id).unwrap());
    app.redirect_uris = vec![SERVER_URI.into(), PAGE_URI.into(), "http://localhost:3000".into()];
    app.spa_redirect_uris = vec![PAGE_URI.into(), "http://localhost:3000".into()];
    harness.fixture.put(app.clone()).await;
    let mut other = app.clone();
    let mut principal = Principal::clone(snapshot.service_principal(app.client_id).unwrap());
    (other.id, principal.id) = (ObjectId::from_u128(0xfeed1), ObjectId::from_u128(0xfeed2));
    other.client_id = keyless_model::ClientId::from_u128(0xfeed);
    principal.client_id = Some(other.client_id);
    other.redirect_uris = vec!["https://other.example/".into()];
    other.spa_redirect_uris = other.redirect_uris.clone();
    harness.fixture.put(other.clone()).await;
    harness.fixture.put(principal).await;
    (harness, app, other)
}

/// Signs in, and returns what stands behind the page's address.
async fn sent_on(harness: &Harness, app: &Application, redirect_uri: &str, mode: &str) -> String {
    let client_id = app.client_id.to_string();
    let changes = [("client_id", client_id.as_str()), ("redirect_uri", redirect_uri), ("response_mode", mode), ("scope", SCOPE)];
    let mut browser = Browser::default();
    browser.open(harness, &authorize(&changes)).await;
    let answer = browser.sign_in(harness, NAME, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.headers["location"].to_str().unwrap().strip_prefix(redirect_uri).unwrap().to_owned()
}

async fn code_at(harness: &Harness, app: &Application, redirect_uri: &str) -> String {
    let behind = sent_on(harness, app, redirect_uri, "fragment").await;
    let code = behind.strip_prefix("#code=").unwrap_or_else(|| panic!("{behind}")).split('&').next().unwrap().to_owned();
    harness.keep_secret(code.clone());
    code
}

/// A form, from a page of this origin if there is one.
async fn ask(harness: &Harness, origin: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = form("/organizations/oauth2/v2.0/token?client-request-id=00000000-0000-0000-0000-0000000000aa");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    harness.send(request.body(body.into()).unwrap()).await
}

async fn redeem_at(harness: &Harness, app: &Application, redirect_uri: &str, origin: Option<&str>, more: &[(&str, &str)]) -> Answer {
    let (code, client_id) = (code_at(harness, app, redirect_uri).await, app.client_id.to_string());
    let mut fields = vec![
        ("client_id", client_id.as_str()),
        ("redirect_uri", redirect_uri),
        ("scope", SCOPE),
        ("code", &code),
        ("x-client-SKU", "msal.js.browser"),
        ("code_verifier", VERIFIER),
        ("grant_type", "authorization_code"),
        ("client_info", "1"),
        ("X-AnchorMailbox", "Oid:x@y"),
    ];
    fields.extend(more);
    ask(harness, origin, &fields).await
}

async fn renew(harness: &Harness, app: &Application, origin: Option<&str>, token: &str, more: &[(&str, &str)]) -> Answer {
    let client_id = app.client_id.to_string();
    let mut fields = vec![("client_id", client_id.as_str()), ("grant_type", "refresh_token"), ("refresh_token", token), ("scope", SCOPE)];
    fields.extend(more);
    ask(harness, origin, &fields).await
}

async fn preflight(harness: &Harness, origin: &str, method: &str) -> Answer {
    let request = Request::options("/organizations/oauth2/v2.0/token")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", HEADERS);
    harness.send(request.body(axum::body::Body::empty()).unwrap()).await
}

/// Which origin may read the answer. Never any, and never with cookies.
#[track_caller]
fn readable_by(answer: &Answer) -> Option<&str> {
    assert!(answer.headers.get("access-control-allow-credentials").is_none());
    let origin = answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
    assert!(origin != Some("*") && (origin.is_none() || answer.headers["vary"] == "Origin"));
    origin
}

#[tokio::test]
async fn a_page_signs_a_person_in_and_renews_its_tokens_for_a_day() {
    let (harness, app, _) = system().await;
    let preflight = preflight(&harness, PAGE, "POST").await;
    assert_eq!((preflight.status, readable_by(&preflight)), (StatusCode::NO_CONTENT, Some(PAGE)));
    assert_eq!(preflight.headers["access-control-allow-headers"], "content-type, x-anchormailbox, x-client-sku, x-client-ver");
    assert_eq!(preflight.headers["access-control-allow-methods"], "POST");

    let mut answer = redeem_at(&harness, &app, PAGE_URI, Some(PAGE), &[]).await;
    assert_eq!((answer.status, readable_by(&answer)), (StatusCode::OK, Some(PAGE)), "{}", answer.text);
    assert_eq!(answer.claims("access_token")["appidacr"], "0", "it has no credential");
    assert_eq!(answer.body["refresh_token_expires_in"], 86_400);
    let mut token = refresh_token(&harness, &answer);
    for hours in 1..24 {
        harness.fixture.clock.advance_secs(3600);
        answer = renew(&harness, &app, Some(PAGE), &token, &[]).await;
        assert_eq!((answer.status, readable_by(&answer)), (StatusCode::OK, Some(PAGE)), "{}", answer.text);
        assert_eq!(answer.body["refresh_token_expires_in"], 86_400 - 3600 * hours, "renewing makes it no longer");
        token = refresh_token(&harness, &answer);
    }
    harness.fixture.clock.advance_secs(1800);
    answer = renew(&harness, &app, Some(PAGE), &token, &[]).await;
    token = refresh_token(&harness, &answer);
    assert_eq!(answer.body["expires_in"], 1800, "the access token ends with the sign-in");
    harness.fixture.clock.advance_secs(1800);
    let over = renew(&harness, &app, Some(PAGE), &token, &[]).await;
    assert_eq!((over.code(), readable_by(&over)), (700_082, Some(PAGE)), "MSAL.js reads why, and shows the sign-in page");
}

#[tokio::test]
async fn a_code_and_a_refresh_token_of_a_page_are_worth_nothing_outside_it() {
    let (harness, app, _) = system().await;
    for (more, code) in [(vec![], 7_000_218), (vec![("client_secret", APP_SECRET)], 9_002_327)] {
        let answer = redeem_at(&harness, &app, PAGE_URI, None, &more).await;
        assert_eq!((answer.code(), readable_by(&answer)), (code, None), "{}", answer.text);
    }
    let token = refresh_token(&harness, &redeem_at(&harness, &app, PAGE_URI, Some(PAGE), &[]).await);
    let stolen = renew(&harness, &app, None, &token, &[("client_secret", APP_SECRET)]).await;
    assert_eq!((stolen.code(), readable_by(&stolen)), (9_002_327, None));
    assert_eq!(renew(&harness, &app, Some(PAGE), &token, &[]).await.status, StatusCode::OK, "the page goes on");
}

#[tokio::test]
async fn a_page_redeems_nothing_of_a_server_and_brings_no_credential() {
    let (harness, app, _) = system().await;
    let answer = redeem_at(&harness, &app, SERVER_URI, Some(PAGE), &[]).await;
    assert_eq!((answer.code(), readable_by(&answer)), (9_002_326, Some(PAGE)));
    let token = refresh_token(&harness, &redeem_at(&harness, &app, SERVER_URI, None, &[("client_secret", APP_SECRET)]).await);
    assert_eq!(renew(&harness, &app, Some(PAGE), &token, &[]).await.code(), 9_002_326);
    let secret = [("client_secret", APP_SECRET)];
    assert_eq!(redeem_at(&harness, &app, PAGE_URI, Some(PAGE), &secret).await.code(), 700_025, "everybody could read it");
    assert_eq!(renew(&harness, &app, None, &token, &secret).await.status, StatusCode::OK, "the server goes on");
}

#[tokio::test]
async fn strangers_pages_redeem_nothing_and_read_nothing() {
    let (harness, app, other) = system().await;
    let good = refresh_token(&harness, &redeem_at(&harness, &app, PAGE_URI, Some(PAGE), &[]).await);
    for stranger in
        ["https://evil.example", "null", "*", "", "https://page.example.evil.example", "http://page.example", "https://other.example"]
    {
        let answer = redeem_at(&harness, &app, PAGE_URI, Some(stranger), &[]).await;
        assert_eq!((answer.code(), readable_by(&answer)), (9_002_326, None), "{stranger}");
        let answer = renew(&harness, &app, Some(stranger), &good, &[]).await;
        assert_eq!((answer.code(), readable_by(&answer)), (9_002_326, None), "{stranger}");
        let asked = preflight(&harness, stranger, "POST").await;
        // It does not say for which application it asks; the answer itself is judged.
        let known = (stranger == "https://other.example").then_some(stranger);
        assert_eq!(readable_by(&asked), known, "{stranger}");
    }
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(readable_by(&preflight(&harness, PAGE, method).await), None, "{method}");
    }
    assert_eq!(redeem_at(&harness, &other, "https://other.example/", Some(PAGE), &[]).await.code(), 9_002_326);
    assert_eq!(renew(&harness, &app, Some(PAGE), &good, &[]).await.status, StatusCode::OK, "no stranger used it up");
}

#[tokio::test]
async fn other_grants_are_no_pages_business_not_even_a_registered_ones_i16() {
    let (harness, app, _) = system().await;
    let client_id = app.client_id.to_string();
    let mut fields = vec![
        ("client_id", client_id.as_str()),
        ("client_secret", APP_SECRET),
        ("scope", "https://ai.azure.com/.default"),
        ("device_code", "x"),
        ("assertion", "x"),
        ("requested_token_use", "on_behalf_of"),
        ("grant_type", "client_credentials"),
    ];
    assert_eq!(ask(&harness, None, &fields).await.code(), 50_059, "a program is heard, and has to name its tenant");
    for grant in [
        "client_credentials",
        "device_code",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "password",
        "Authorization_Code",
    ] {
        fields.pop();
        fields.push(("grant_type", grant));
        for origin in [PAGE, "https://evil.example", "null", ""] {
            let answer = ask(&harness, Some(origin), &fields).await;
            assert_eq!((answer.code(), readable_by(&answer)), (9_002_326, None), "{grant} {origin}");
        }
    }
}

#[tokio::test]
async fn a_device_codes_line_is_renewed_by_no_page_i16() {
    let (harness, app, _) = system().await;
    let token = refresh_token(&harness, &redeem_at(&harness, &app, SERVER_URI, None, &[("client_secret", APP_SECRET)]).await);
    let line = RefreshFamily::clone(harness.fixture.snapshot().refresh_families().next().unwrap());
    assert!(!line.in_browser);
    let answer = renew(&harness, &app, Some(PAGE), &token, &[]).await;
    assert_eq!((answer.code(), answer.body.get("access_token")), (9_002_326, None));
}

#[tokio::test]
async fn who_asks_for_an_origin_costs_the_same_with_any_number_of_applications_i16() {
    let (harness, app, _) = system().await;
    let many: Vec<_> = (0..200_u128)
        .map(|n| {
            let mut other = app.clone();
            (other.id, other.client_id) = (ObjectId::from_u128(0xa_0000 + n), keyless_model::ClientId::from_u128(0xa_0000 + n));
            other.spa_redirect_uris = vec![format!("https://page{n}.example/")];
            other.redirect_uris = other.spa_redirect_uris.clone();
            keyless_model::entity::Mutation::put(other)
        })
        .collect();
    harness.fixture.apply(many).await;
    let read = || crate::client::PAGES_READ.with(std::cell::Cell::get);
    let before = read();
    for (origin, reader) in
        [("https://evil.example", None), (PAGE, Some(PAGE)), ("https://page199.example", Some("https://page199.example"))]
    {
        assert_eq!(readable_by(&preflight(&harness, origin, "POST").await), reader);
        let request = Request::get("/common/discovery/v2.0/keys").header("origin", origin).body(axum::body::Body::empty()).unwrap();
        assert_eq!(readable_by(&harness.send(request).await), reader);
    }
    assert_eq!(read(), before, "no address of any application is read");
}

#[tokio::test]
async fn the_documents_of_discovery_are_read_by_registered_pages_only() {
    let (harness, ..) = system().await;
    for path in ["/common/v2.0/.well-known/openid-configuration", "/common/discovery/v2.0/keys"] {
        for (origin, reader) in [(PAGE, Some(PAGE)), ("https://evil.example", None), ("null", None)] {
            let request = Request::get(path).header("origin", origin).body(axum::body::Body::empty()).unwrap();
            let answer = harness.send(request).await;
            assert_eq!((answer.status, readable_by(&answer)), (StatusCode::OK, reader), "{path} {origin}");
        }
        let answer = harness.get(path).await;
        assert_eq!((answer.headers["vary"].to_str().unwrap(), readable_by(&answer)), ("Origin", None), "a cache tells them apart");
    }
}

#[tokio::test]
async fn a_page_has_the_port_that_was_registered() {
    let (harness, app, _) = system().await;
    let client_id = app.client_id.to_string();
    let path = |redirect_uri| authorize(&[("client_id", client_id.as_str()), ("redirect_uri", redirect_uri), ("scope", SCOPE)]);
    assert_eq!(harness.get(&path("http://localhost:3000")).await.status, StatusCode::OK);
    assert!(harness.get(&path("http://localhost:3001")).await.text.contains("AADSTS50011"));
}

#[tokio::test]
async fn an_answer_behind_a_hash_needs_pkce_as_every_other() {
    let (harness, app, _) = system().await;
    let behind = sent_on(&harness, &app, PAGE_URI, "fragment").await;
    assert!(behind.starts_with("#code=") && behind.contains("&state=st%26te"), "{behind}");
    let client_id = app.client_id.to_string();
    let changes = [
        ("client_id", client_id.as_str()),
        ("redirect_uri", PAGE_URI),
        ("response_mode", "fragment"),
        ("scope", SCOPE),
        ("code_challenge", "<absent>"),
    ];
    let answer = harness.get(&authorize(&changes)).await;
    let location = answer.headers["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("{PAGE_URI}#error=invalid_request")), "{location}");
}
