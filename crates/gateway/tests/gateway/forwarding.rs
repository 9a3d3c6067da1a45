//! What reaches the model server, and what comes back of it.

use keyless_gateway::UpstreamConfig;
use keyless_model::Secret;
use keyless_testkit::ACCOUNT_KEYS;

use crate::support::*;

#[tokio::test]
async fn no_credential_and_no_claim_of_the_caller_reaches_the_model_server() {
    let mut world = World::new().await;
    let token = world.token();
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("api-key", ACCOUNT_KEYS[0]),
        ("ocp-apim-subscription-key", "subscription-key"),
        ("proxy-authorization", "Basic cHJveHk="),
        ("cookie", "session=1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("te", "trailers"),
        ("connection", "x-secret-hop"),
        ("x-secret-hop", "hop"),
        ("accept-encoding", "gzip"),
        ("accept", "application/json"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("openai-organization", "org"),
    ];
    assert_eq!(world.send(post(CHAT, &headers, HELLO)).await.status, 200);
    let seen = world.server.last();
    let mut names: Vec<&str> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "content-length", "content-type", "host", "traceparent", "x-request-id"]);
    let dump = format!("{seen:?}");
    assert!(!dump.contains(&token) && !dump.contains(ACCOUNT_KEYS[0]));
}

#[tokio::test]
async fn a_model_server_gets_its_own_credential() {
    let mut world = World::with(|config| config.upstreams[0].api_key = Some(Secret::new("sk-upstream".to_owned()))).await;
    world.chat().await;
    assert_eq!(world.server.last().headers["authorization"], "Bearer sk-upstream");
}

#[tokio::test]
async fn the_body_passes_byte_for_byte_but_for_the_model() {
    let mut world = World::new().await;
    let body = "{ \"messages\" : [{\"role\":\"user\",\"content\":\"\\u00e9 \\\"model\\\":\\\"x\\\"\"}],\n \"model\" : \"whatever\", \"temperature\":0.10 }";
    let request = world.post(CHAT, body);
    let answer = world.send(request).await;
    assert_eq!(answer.body, ANSWER);
    let seen = world.server.last();
    assert_eq!((seen.path.as_str(), seen.body), ("/v1/chat/completions", body.replace("\"whatever\"", "\"chat-model\"")));
}

#[tokio::test]
async fn a_caller_cannot_name_another_model_behind_the_same_server() {
    let mut world = World::new().await;
    for (path, body) in
        [(CHAT, r#"{"model":"embed-model","messages":[]}"#), (CHAT, r#"{"messages":[]}"#), (CHAT_V1, r#"{"messages":[],"model":"chat"}"#)]
    {
        let request = world.post(path, body);
        assert_eq!(world.send(request).await.status, 200);
        let seen: serde_json::Value = serde_json::from_str(&world.server.last().body).unwrap();
        assert_eq!(seen["model"], "chat-model");
    }
}

#[tokio::test]
async fn every_interface_reaches_its_path() {
    let mut world = World::new().await;
    let dated = "?api-version=2024-10-21";
    for (path, upstream) in [
        (format!("deployments/chat/completions{dated}"), "/v1/completions"),
        (format!("deployments/embed/embeddings{dated}"), "/v1/embeddings"),
        (format!("deployments/chat/images/generations{dated}"), "/v1/images/generations"),
        (format!("responses{dated}"), "/v1/responses"),
        ("v1/responses".to_owned(), "/v1/responses"),
        ("v1/embeddings".to_owned(), "/v1/embeddings"),
        ("v1/completions".to_owned(), "/v1/completions"),
        ("v1/chat/completions?api-version=preview".to_owned(), "/v1/chat/completions"),
    ] {
        let request = world.post(&format!("/ai/demo-ai/openai/{path}"), r#"{"model":"chat"}"#);
        let answer = world.send(request).await;
        assert_eq!((answer.status.as_u16(), world.server.last().path.as_str()), (200, upstream), "{path}");
    }
}

#[tokio::test]
async fn the_answer_carries_azures_headers_and_none_of_the_servers() {
    let mut world = World::new().await;
    world.server.next(Script::Whole {
        status: 200,
        content_type: "application/json",
        headers: vec![
            ("set-cookie", "a=b"),
            ("server", "vllm"),
            ("www-authenticate", "Basic"),
            ("x-ratelimit-limit-tokens", "1"),
            ("location", "http://10.0.0.1/"),
        ],
        body: ANSWER.to_owned(),
    });
    let mut request = world.post(CHAT, HELLO);
    request.headers_mut().insert("x-ms-client-request-id", "my-id_1.2".parse().unwrap());
    let answer = world.send(request).await;
    let mut names: Vec<&str> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "apim-request-id",
            "cache-control",
            "content-length",
            "content-type",
            "date",
            "strict-transport-security",
            "x-content-type-options",
            "x-ms-client-request-id",
            "x-ms-deployment-name",
            "x-ms-region",
            "x-request-id",
        ]
    );
    assert_eq!((answer.header("x-ms-deployment-name"), answer.header("x-ms-region")), (Some("chat"), Some("local")));
    assert_eq!(answer.header("x-ms-client-request-id"), Some("my-id_1.2"));
    assert_eq!(world.server.last().headers["x-request-id"], answer.header("x-request-id").unwrap());
}

#[tokio::test]
async fn a_client_request_id_that_could_break_a_log_is_not_echoed_n86() {
    let mut world = World::new().await;
    for id in ["a\"b", "a b", "a%0d%0aset-cookie:x", &"a".repeat(65), "<script>"] {
        let mut request = world.post(CHAT, HELLO);
        request.headers_mut().insert("x-ms-client-request-id", id.parse().unwrap());
        assert_eq!(world.send(request).await.header("x-ms-client-request-id"), None, "{id}");
    }
}

#[tokio::test]
async fn a_long_body_streams_through_with_the_model_replaced() {
    let mut world = World::new().await;
    let content = "x\\\"".repeat(500_000);
    for tail in [r#","model":"whatever","stream":false}"#, "}"] {
        let request = world.post(CHAT, &format!(r#"{{"messages":[{{"content":"{content}"}}]{tail}"#));
        assert_eq!(world.send(request).await.status, 200);
        let seen = world.server.last();
        assert_eq!(seen.headers.get("transfer-encoding").map(http::HeaderValue::as_bytes), Some(&b"chunked"[..]));
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!((body["model"].as_str(), body["messages"][0]["content"].as_str().unwrap().len()), (Some("chat-model"), 1_000_000));
        assert!(world.test.audit.last().data.unwrap().request_bytes > 1_500_000);
    }
}

#[tokio::test]
async fn a_second_model_at_the_end_of_a_long_body_never_reaches_the_server_whole() {
    let mut world = World::new().await;
    let body = format!(r#"{{"model":"chat","messages":[{{"content":"{}"}}],"model":"embed-model"}}"#, "x".repeat(1_000_000));
    for path in [CHAT, CHAT_V1] {
        let request = world.post(path, &body);
        let answer = world.send(request).await;
        assert_eq!(answer.line(), r#"400 {"error":{"code":"BadRequest","message":"the member `model` is given twice; send it once"}}"#);
    }
    assert!(world.server.seen().is_empty());
}

#[tokio::test]
async fn floats_become_base64_when_the_caller_asked_for_it() {
    let mut world = World::new().await;
    let floats = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,-0.5]}],"usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    for (ask, embedding) in [
        (r#"{"input":"x","encoding_format":"base64"}"#, serde_json::json!("AACAPwAAAL8=")),
        (r#"{"input":"x"}"#, serde_json::json!([1.0, -0.5])),
    ] {
        world.server.next(Script::json(200, floats));
        let request = world.post(EMBED, ask);
        assert_eq!(world.send(request).await.json()["data"][0]["embedding"], embedding);
        assert_eq!(world.test.audit.last().data.unwrap().prompt_tokens, Some(2));
    }
}

#[tokio::test]
async fn a_long_answer_passes_whole() {
    let mut world = World::new().await;
    let long = ANSWER.replace("\"Hi\"", &format!("\"{}\"", "y".repeat(300_000)));
    world.server.next(Script::json(200, &long));
    let answer = world.chat().await;
    assert_eq!((answer.body == long, answer.header("content-length")), (true, Some(long.len().to_string().as_str())));
    let data = world.test.audit.last().data.unwrap();
    assert_eq!((data.prompt_tokens, data.completion_tokens, data.response_bytes), (Some(3), Some(5), long.len() as u64));
}

#[tokio::test]
async fn upstreams_can_be_replaced_while_running() {
    let mut world = World::new().await;
    world.chat().await;
    let other = ModelServer::start().await;
    world.gateway.set_upstreams(vec![UpstreamConfig::open_ai("default", other.base_url())]).unwrap();
    world.chat().await;
    assert_eq!((world.server.seen().len(), other.seen().len()), (1, 1));
    assert!(world.gateway.set_upstreams(vec![]).is_err(), "the default upstream must be among them");
    world.chat().await;
    assert_eq!(other.seen().len(), 2, "a list that cannot be used changes nothing");
}

/// The server runs one runtime per core; a connection to the model server must not outlive or leave the runtime that drives it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_gateway_serves_several_runtimes() {
    let world = World::new().await;
    for _ in 0..3 {
        let (gateway, request) = (std::sync::Arc::clone(&world.gateway), world.post(CHAT, HELLO));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (address, _tasks) = listen(gateway).await;
                for _ in 0..3 {
                    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
                    let (mut sender, connection) =
                        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.unwrap();
                    let answer = sender.send_request(request.clone());
                    tokio::select! {
                        answer = answer => assert_eq!(answer.unwrap().status(), 200),
                        _ = connection => panic!("the connection ended before the answer"),
                    }
                }
            });
        });
        #[expect(clippy::disallowed_methods, reason = "the test waits for its own thread")]
        tokio::task::spawn_blocking(|| thread.join()).await.unwrap().unwrap();
    }
    assert_eq!(world.server.seen().len(), 9);
}
