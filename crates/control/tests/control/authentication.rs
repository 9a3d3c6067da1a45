//! Tokens that do not hold: exact codes, and where to get a better one.

use axum::body::Body;
use http::Request;
use keyless_model::Clock as _;
use keyless_model::entity::Principal;
use keyless_testkit::{OTHER_TENANT, TENANT};

use crate::support::{ARM, Answer, GRAPH, Plane, VERSION};

async fn with_header(plane: &Plane, path: &str, header: Option<String>) -> Answer {
    let mut request = Request::builder().uri(format!("{path}?{VERSION}"));
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    plane.send(request.body(Body::empty()).unwrap()).await
}

fn challenge(answer: &Answer) -> &str {
    answer.headers["www-authenticate"].to_str().unwrap()
}

#[tokio::test]
async fn no_path_answers_without_a_token_but_the_endpoints_document_n132() {
    let plane = Plane::new().await;
    for path in
        ["/subscriptions", "/tenants", "/providers/x", "/subscriptions/nonsense", "/v1.0/users", "/v1.0/nonsense", "/subscriptions/"]
    {
        let answer = with_header(&plane, path, None).await;
        assert_eq!(answer.error(), (401, "AuthenticationFailed"), "{path}");
        assert!(challenge(&answer).starts_with(&format!("Bearer authorization_uri=\"https://localhost:8443/{TENANT}\"")), "{path}");
    }
    assert_eq!(with_header(&plane, "/metadata/endpoints", None).await.status, 200);
    assert_eq!(with_header(&plane, "//metadata/endpoints", None).await.status, 200);
}

#[tokio::test]
async fn tokens_that_do_not_hold_are_refused_with_arms_codes() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let good = test.token(test.operator, ARM);
    let cases = [
        ("Basic abc".to_owned(), "AuthenticationFailedInvalidHeader"),
        ("Bearer not-a-token".to_owned(), "InvalidAuthenticationToken"),
        (format!("Bearer {}x", good), "InvalidAuthenticationToken"),
        (format!("Bearer {}", test.token(test.operator, "https://cognitiveservices.azure.com")), "InvalidAuthenticationTokenAudience"),
    ];
    for (header, code) in cases {
        let answer = with_header(&plane, "/subscriptions", Some(header.clone())).await;
        assert_eq!(answer.error(), (401, code), "{header}");
        assert!(challenge(&answer).contains("error=\"invalid_token\""));
        assert_eq!(test.audit.last().status, Some(401), "a refused token is recorded");
    }
    test.clock.advance_secs(3700);
    let answer = with_header(&plane, "/subscriptions", Some(format!("Bearer {good}"))).await;
    assert_eq!(answer.error(), (401, "ExpiredAuthenticationToken"));
}

#[tokio::test]
async fn a_graph_token_does_not_open_arm_nor_the_other_way() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let answer = with_header(&plane, "/subscriptions", Some(format!("Bearer {}", test.token(test.operator, GRAPH)))).await;
    assert_eq!(answer.error(), (401, "InvalidAuthenticationTokenAudience"));
    let answer = with_header(&plane, "/v1.0/users", Some(format!("Bearer {}", test.token(test.operator, ARM)))).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn both_audiences_of_this_system_are_taken() {
    let plane = Plane::new().await;
    for audience in ["https://localhost:8443/", "https://localhost:8443", "https://management.core.windows.net/"] {
        let token = plane.test.token(plane.test.operator, audience);
        assert_eq!(with_header(&plane, "/subscriptions", Some(format!("Bearer {token}"))).await.status, 200, "{audience}");
    }
}

#[tokio::test]
async fn a_token_of_another_tenant_is_told_its_mistake_n82() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let token = test.token_with(test.foreign_app, ARM, OTHER_TENANT, 3600);
    let answer = with_header(&plane, plane.subscription().as_str(), Some(format!("Bearer {token}"))).await;
    assert_eq!(answer.error(), (401, "InvalidAuthenticationTokenTenant"));
    assert!(challenge(&answer).contains(&format!("authorization_uri=\"https://localhost:8443/{TENANT}\"")));
    let list = with_header(&plane, "/subscriptions", Some(format!("Bearer {token}"))).await;
    assert_eq!(list.expect(200)["value"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_disabled_principals_token_stops_at_once() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let header = format!("Bearer {}", test.token(test.demo_app, ARM));
    assert_eq!(with_header(&plane, "/subscriptions", Some(header.clone())).await.status, 200);
    let principal = test.snapshot().principal(test.demo_app.object_id).unwrap().as_ref().clone();
    test.put(Principal { enabled: false, ..principal }).await;
    assert_eq!(with_header(&plane, "/subscriptions", Some(header)).await.error(), (401, "InvalidAuthenticationToken"));
}

#[tokio::test]
async fn a_revoked_session_gets_a_claims_challenge() {
    let plane = Plane::new().await;
    let test = &plane.test;
    let header = format!("Bearer {}", test.token(test.demo_app, ARM));
    test.clock.advance_secs(10);
    let principal = test.snapshot().principal(test.demo_app.object_id).unwrap().as_ref().clone();
    test.put(Principal { tokens_valid_from: Some(test.clock.now()), ..principal }).await;
    let answer = with_header(&plane, "/subscriptions", Some(header)).await;
    assert_eq!(answer.error(), (401, "TokenIssuedBeforeRevocationTimestamp"));
    assert!(challenge(&answer).contains("error=\"insufficient_claims\", claims=\""));
}

#[tokio::test]
async fn the_api_version_is_asked_for_and_then_any_is_taken() {
    let plane = Plane::new().await;
    let token = plane.test.token(plane.test.operator, ARM);
    let send = async |uri: &str| {
        plane.send(Request::builder().uri(uri).header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()).await
    };
    assert_eq!(send("/subscriptions").await.error(), (400, "MissingApiVersionParameter"));
    assert_eq!(send("/subscriptions?api-version=").await.error(), (400, "MissingApiVersionParameter"));
    assert_eq!(send("/subscriptions?api-version=1999-01-01&disambiguation_dummy=").await.status, 200);
    assert_eq!(send("/subscriptions?api-version=1&api-version=2").await.error(), (400, "InvalidQueryParameter"));
}

#[tokio::test]
async fn when_nothing_can_be_recorded_a_change_is_refused() {
    let plane = Plane::new().await;
    let test = &plane.test;
    test.audit.fail("disk full");
    let path = format!("{}/resourceGroups/new", plane.subscription());
    assert_eq!(plane.put(test.operator, &path, serde_json::json!({ "location": "local" })).await.error(), (503, "ServiceUnavailable"));
    test.audit.recover();
    assert_eq!(plane.get(test.operator, &path).await.error(), (404, "ResourceGroupNotFound"));
}

#[tokio::test]
async fn many_refusals_of_strangers_and_of_callers_without_a_right_are_counted_d5_i7() {
    let plane = Plane::new().await;
    let group = plane.test.group.as_str().to_owned();
    for _ in 0..50 {
        assert_eq!(with_header(&plane, "/subscriptions", Some("Bearer x.y.z".to_owned())).await.status, 401);
        assert_eq!(plane.get(plane.test.app, &format!("{group}?{VERSION}")).await.status, 403);
    }
    plane.test.platform.write_counts(true).unwrap();
    let events = plane.test.audit.take();
    assert_eq!(events.len(), 2 * (5 + 1));
    assert_eq!(events.iter().filter_map(|event| event.repeated).map(|repeated| repeated.number).sum::<u64>(), 2 * 45);
}

#[tokio::test]
async fn decoys_do_not_hide_the_event_of_a_denied_assignment_d5_i7() {
    let plane = Plane::new().await;
    let (group, app) = (plane.test.group.as_str().to_owned(), plane.test.app);
    for _ in 0..50 {
        assert_eq!(plane.get(app, &format!("{group}?{VERSION}")).await.status, 403);
        assert_eq!(plane.delete(app, &format!("{group}?{VERSION}")).await.status, 403);
    }
    let path = format!("{group}/providers/Microsoft.Authorization/roleAssignments/{}?{VERSION}", keyless_model::ObjectId::from_u128(1));
    let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635", plane.subscription());
    let body = serde_json::json!({ "properties": { "roleDefinitionId": role, "principalId": plane.test.operator.object_id } });
    assert_eq!(plane.put(app, &path, body).await.status, 403);
    let event = plane.test.audit.last();
    assert_eq!((event.operation.as_ref(), event.repeated), ("Microsoft.Authorization/roleAssignments/write", None));
}
