//! Every route, asked by somebody who has nothing: it answers in order, and tells nothing about anybody.

use axum::body::Body;
use http::{Request, StatusCode};
use keyless_audit::Outcome;
use keyless_testkit::TENANT;

use super::harness::Harness;
use super::people::{NAME, person};

/// The table itself, so that a new route is probed from its first day.
const TABLE: &str = include_str!("../routes.rs");

fn routes() -> Vec<String> {
    let routes = TABLE.lines().filter_map(|line| line.trim().strip_prefix(".route("));
    let named = |rest: &str| rest.strip_prefix('"').and_then(|rest| rest.split('"').next()).map(str::to_owned);
    routes.map(|rest| named(rest).unwrap_or_else(|| crate::provider::CALLBACK.to_owned())).collect()
}

#[tokio::test]
async fn every_route_answers_a_stranger_in_order_and_tells_nothing() {
    let harness = Harness::new().await;
    let user = person(&harness, false).await;
    let (app, identity) = (harness.fixture.app, harness.fixture.demo_app);
    let application = harness.fixture.snapshot().application_of(app.client_id).unwrap().display_name.clone();
    let secrets = [
        NAME.to_owned(),
        "Ada".to_owned(),
        user.to_string(),
        application,
        app.client_id.to_string(),
        app.object_id.to_string(),
        identity.client_id.to_string(),
        "/crates/".to_owned(),
        "panicked".to_owned(),
    ];
    let routes = routes();
    assert!(routes.len() >= 16, "{routes:?}");
    let bodies = ["", "x=1", "grant_type=client_credentials", "ticket=AAAA&username=x&password=y", "user_code=BCDF-GHJK", "a=%0d%0a"];
    for route in &routes {
        for tenant in [TENANT.to_string().as_str(), "common", "nobody.example", "..%2f"] {
            let path = route.replace("{tenant}", tenant);
            for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"] {
                for body in bodies {
                    let uri = if method == "GET" { format!("{path}?{body}") } else { path.clone() };
                    let request = Request::builder().method(method).uri(&uri).header("content-type", "application/x-www-form-urlencoded");
                    let request = request.header("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.");
                    let answer = harness.send(request.body(Body::from(body)).unwrap()).await;
                    let asked = format!("{method} {uri} {body}: {} {}", answer.status, answer.text);
                    assert!(!answer.status.is_server_error(), "{asked}");
                    assert!(!secrets.iter().any(|secret| answer.text.contains(secret.as_str())), "{asked}");
                    assert!(answer.headers.get("access-control-allow-origin").is_none(), "{asked}");
                    let public = answer.status == StatusCode::OK && path.ends_with("/keys");
                    let stored = answer.headers.get("cache-control").is_none_or(|value| value != "no-store");
                    assert!(!stored || public, "{asked}");
                }
            }
        }
    }
    let allowed =
        harness.fixture.audit.events().into_iter().find(|event| event.outcome == Outcome::Allowed && event.operation != "User_Create");
    assert!(allowed.is_none(), "{allowed:?}");
}
