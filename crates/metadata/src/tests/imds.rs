use super::*;

#[tokio::test]
async fn the_system_assigned_identity_answers_without_a_selector() {
    let system = System::new().await;
    let (status, body) = system.imds(&good()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["client_id"], system.test.host_identity.client_id.to_string());
    assert!(body.as_object().expect("an object").values().all(Value::is_string), "IMDS says everything in strings: {body}");
    assert_eq!((&body["token_type"], &body["expires_in"], &body["resource"]), (&"Bearer".into(), &"86700".into(), &RESOURCE.into()));
}

#[tokio::test]
async fn azures_selection_rules_hold() {
    let system = System::new().await;
    system.carry(&["demo-app"], false).await;
    let (status, body) = system.imds(&good()).await;
    assert_eq!((status, &body["client_id"]), (StatusCode::OK, &system.test.demo_app.client_id.to_string().into()), "the only one");
    let (demo, host) = (system.test.demo_app, system.test.host_identity);
    system.carry(&["demo-app", "operator"], false).await;
    for selector in [
        format!("client_id={}", demo.client_id),
        format!("object_id={}", demo.object_id),
        format!("msi_res_id={}/providers/microsoft.managedidentity/userAssignedIdentities/DEMO-app", system.test.group),
        format!("mi_res_id={}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/demo-app", system.test.group),
    ] {
        let (status, body) = system.imds(&format!("{}&{selector}", good())).await;
        assert_eq!((status, &body["client_id"]), (StatusCode::OK, &demo.client_id.to_string().into()), "{selector}");
    }
    let (status, _) = system.imds(&format!("{}&client_id={}", good(), host.client_id)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "the host's own identity was taken away");
}

#[tokio::test]
async fn several_identities_without_a_selector_are_refused_n96() {
    let system = System::new().await;
    system.carry(&["demo-app", "operator"], false).await;
    let (status, body) = system.imds(&good()).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"invalid_request".into()));
    assert!(body["error_description"].as_str().expect("text").starts_with("Multiple user assigned identities"));
}

#[tokio::test]
async fn an_identity_that_is_not_attached_is_not_found_n95() {
    let system = System::new().await;
    let (status, body) = system.imds(&format!("{}&client_id={}", good(), system.test.demo_app.client_id)).await;
    assert_eq!((status, &body["error_description"]), (StatusCode::BAD_REQUEST, &"Identity not found".into()));
    let refused = system.test.audit.last();
    assert_eq!((refused.outcome, refused.operation.as_ref()), (Outcome::Denied, "Token_Issue"));
}

#[tokio::test]
async fn the_metadata_header_must_be_there_in_lower_case_n87_n88() {
    let system = System::new().await;
    for value in [None, Some("True"), Some("TRUE"), Some("1"), Some("")] {
        let mut request = imds_request(&good());
        request.headers_mut().remove("metadata");
        let request = if let Some(value) = value { with(request, "metadata", value) } else { request };
        let (status, body) = system.ask(request, PeerOwner::Uid(UID)).await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"bad_request_102".into()), "{value:?}");
    }
}

#[tokio::test]
async fn requests_through_a_proxy_are_refused_even_with_an_empty_header_n89() {
    let system = System::new().await;
    for name in ["x-forwarded-for", "forwarded", "via", "x-forwarded-host"] {
        for value in ["", "10.0.0.1"] {
            let (status, _) = system.ask(with(imds_request(&good()), name, value), PeerOwner::Uid(UID)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn other_methods_are_refused_n90() {
    let system = System::new().await;
    for method in ["POST", "PUT", "HEAD", "DELETE", "OPTIONS"] {
        let (mut parts, body) = imds_request(&good()).into_parts();
        parts.method = method.parse().expect("a method");
        let (status, _) = system.ask(Request::from_parts(parts, body), PeerOwner::Uid(UID)).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}

#[tokio::test]
async fn a_missing_or_unknown_api_version_names_the_newest_n91() {
    let system = System::new().await;
    for query in
        [format!("resource={RESOURCE}"), format!("api-version=1999-01-01&resource={RESOURCE}"), format!("api-version=&resource={RESOURCE}")]
    {
        let (status, body) = system.imds(&query).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["newest-versions"][0], "2021-12-13", "{query}");
    }
}

#[tokio::test]
async fn duplicate_parameters_are_refused_n92() {
    let system = System::new().await;
    for more in ["&resource=https://management.azure.com", "&api-version=2018-02-01", "&Resource=x"] {
        let (status, body) = system.imds(&format!("{}{more}", good())).await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"invalid_request".into()), "{more}");
    }
}

#[tokio::test]
async fn a_missing_resource_is_refused_n93() {
    let system = System::new().await;
    for query in ["api-version=2018-02-01", "api-version=2018-02-01&resource="] {
        let (status, body) = system.imds(query).await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"invalid_request".into()), "{query}");
    }
    let (status, body) = system.imds("api-version=2018-02-01&resource=https://unknown.test").await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"invalid_resource".into()));
}

#[tokio::test]
async fn two_selectors_or_a_malformed_one_are_refused_n94() {
    let system = System::new().await;
    let id = system.test.host_identity.client_id;
    for more in [format!("&client_id={id}&object_id={id}"), "&client_id=me".to_owned(), "&msi_res_id=../x".to_owned()] {
        let (status, body) = system.imds(&format!("{}{more}", good())).await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"invalid_request".into()), "{more}");
    }
}

#[tokio::test]
async fn a_foreign_host_header_is_refused_n97() {
    let system = System::new().await;
    for host in ["attacker.example", "127.0.0.1:9", "169.254.169.254.attacker.example"] {
        let mut request = imds_request(&good());
        request.headers_mut().insert("host", host.parse().expect("a header value"));
        let (status, _) = system.ask(request, PeerOwner::Uid(UID)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{host}");
    }
    let mut none = imds_request(&good());
    none.headers_mut().remove("host");
    assert_eq!(system.ask(none, PeerOwner::Uid(UID)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(
        system.ask(with(imds_request(&good()), "host", "127.0.0.1:8440"), PeerOwner::Uid(UID)).await.0,
        StatusCode::BAD_REQUEST,
        "two Host headers"
    );
}

#[tokio::test]
async fn a_request_meant_for_a_proxy_is_refused_n98() {
    let system = System::new().await;
    let (mut parts, body) = imds_request(&good()).into_parts();
    parts.uri = format!("http://127.0.0.1:8440{PATH}?{}", good()).parse().expect("a URI");
    assert_eq!(system.ask(Request::from_parts(parts, body), PeerOwner::Uid(UID)).await.0, StatusCode::BAD_REQUEST);
    let (mut parts, body) = imds_request(&good()).into_parts();
    (parts.method, parts.uri) = (http::Method::CONNECT, "127.0.0.1:8440".parse().expect("an authority"));
    let (status, body) = system.ask(Request::from_parts(parts, body), PeerOwner::Uid(UID)).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"invalid_request".into()));
}

#[tokio::test]
async fn path_tricks_lead_nowhere_n99() {
    let system = System::new().await;
    for path in [
        "/metadata//identity/oauth2/token",
        "/metadata/%69dentity/oauth2/token",
        "/metadata/identity/oauth2/token;x",
        "/Metadata/identity/oauth2/token",
        "/metadata/identity/../identity/oauth2/token",
    ] {
        let (mut parts, body) = imds_request(&good()).into_parts();
        parts.uri = format!("{path}?{}", good()).parse().expect("a URI");
        assert_eq!(system.ask(Request::from_parts(parts, body), PeerOwner::Uid(UID)).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_caller_from_elsewhere_is_refused_n100() {
    let system = System::new().await;
    let remote = Connection { peer: "192.0.2.7:5000".parse().expect("an address"), owner: PeerOwner::Unknown };
    assert_eq!(system.ask_over(imds_request(&good()), remote).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn another_users_process_gets_no_token_n101() {
    let system = System::new().await;
    for owner in [PeerOwner::Uid(UID + 1), PeerOwner::Unknown, PeerOwner::Unsupported] {
        let (status, body) = system.ask(imds_request(&good()), owner).await;
        assert_eq!((status, &body["error"]), (StatusCode::UNAUTHORIZED, &"unknown_source".into()), "{owner:?}");
    }
    assert_eq!(system.test.audit.last().outcome, Outcome::Denied);
}

#[tokio::test]
async fn too_many_fresh_tokens_are_refused_and_others_go_on_n105() {
    let system = System::new().await;
    system.carry(&["demo-app"], true).await;
    for number in 0..20 {
        let (status, _) = system.imds(&format!("api-version=2018-02-01&resource=https://r{number}.test")).await;
        assert_eq!(status, StatusCode::OK);
    }
    let connection = Connection { peer: "127.0.0.1:5000".parse().expect("an address"), owner: PeerOwner::Uid(UID) };
    let refused = system.metadata.handle(&imds_request("api-version=2018-02-01&resource=https://one-more.test"), &connection);
    assert_eq!((refused.status(), &refused.headers()["retry-after"]), (StatusCode::TOO_MANY_REQUESTS, &"1".parse().expect("a value")));
    let (status, _) = system.imds("api-version=2018-02-01&resource=https://r0.test").await;
    assert_eq!(status, StatusCode::OK, "a remembered token is not counted");
    let other = format!("{}&client_id={}", good(), system.test.demo_app.client_id);
    assert_eq!(system.imds(&other).await.0, StatusCode::OK, "another workload is not affected");
    system.test.clock.advance_secs(1);
    assert_eq!(system.imds("api-version=2018-02-01&resource=https://one-more.test").await.0, StatusCode::OK);
}

#[tokio::test]
async fn requests_of_web_pages_are_refused_n107() {
    let system = System::new().await;
    for (name, value) in
        [("origin", "https://attacker.example"), ("sec-fetch-site", "cross-site"), ("referer", "https://attacker.example/")]
    {
        let (status, _) = system.ask(with(imds_request(&good()), name, value), PeerOwner::Uid(UID)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}");
    }
}

#[tokio::test]
async fn a_remembered_token_is_given_again_until_half_of_its_life() {
    let system = System::new().await;
    let first = system.imds(&good()).await.1["access_token"].clone();
    system.test.clock.advance_secs(43_000);
    assert_eq!(system.imds(&good()).await.1["access_token"], first);
    system.test.clock.advance_secs(1_000);
    assert_ne!(system.imds(&good()).await.1["access_token"], first);
    assert_eq!(system.source.issued.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_disabled_or_revoked_identity_gets_no_remembered_token() {
    let system = System::new().await;
    let first = system.imds(&good()).await.1["access_token"].clone();
    let principal = system.test.snapshot().principal(system.test.host_identity.object_id).expect("it exists").as_ref().clone();
    system.test.clock.advance_secs(5);
    system.test.put(Principal { tokens_valid_from: Some(system.test.clock.now()), ..principal }).await;
    assert_ne!(system.imds(&good()).await.1["access_token"], first, "sessions were revoked");
    system.disable(system.test.host_identity).await;
    assert_eq!(system.imds(&good()).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_detached_identity_stops_at_once() {
    let system = System::new().await;
    system.carry(&["demo-app"], false).await;
    assert_eq!(system.imds(&good()).await.0, StatusCode::OK);
    system.carry(&[], false).await;
    assert_eq!(system.imds(&good()).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_instance_document_tells_the_owner_where_it_runs() {
    let system = System::new().await;
    let request = || {
        Request::get("/metadata/instance?api-version=2021-02-01")
            .header("host", "127.0.0.1:8440")
            .header("metadata", "true")
            .body(())
            .expect("a request")
    };
    let (status, body) = system.ask(request(), PeerOwner::Uid(UID)).await;
    assert_eq!((status, &body["compute"]["name"]), (StatusCode::OK, &"this-host".into()));
    assert_eq!(system.ask(request(), PeerOwner::Uid(1)).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn many_refusals_are_counted_d5_i7() {
    let system = System::new().await;
    for _ in 0..50 {
        assert_eq!(system.ask(imds_request(&good()), PeerOwner::Uid(UID + 1)).await.0, StatusCode::UNAUTHORIZED);
    }
    system.test.platform.write_counts(true).expect("the audit works");
    let events = system.test.audit.take();
    assert_eq!(events.len(), 5 + 1);
    assert_eq!(events[5].repeated.map(|repeated| repeated.number), Some(45));
}
