//! A model server that fails is the operator's trouble; the caller is told which kind, and never in the server's words.

use std::time::Duration;

use keyless_audit::Outcome;
use keyless_gateway::UpstreamConfig;

use crate::support::*;

#[tokio::test]
async fn each_fault_has_its_answer() {
    let mut world = World::with(|config| config.timeouts.first_byte = Duration::from_millis(200)).await;
    let mut lines = String::new();
    let secret = r#"{"error":{"message":"Incorrect API key provided: sk-upstream at http://10.0.0.1"}}"#;
    let html = |status| Script::Whole { status, content_type: "text/html", headers: vec![], body: "<h1>router</h1>".to_owned() };
    let with = |status, headers| Script::Whole { status, content_type: "application/json", headers, body: secret.to_owned() };
    for (case, script) in [
        ("wrong upstream credential", with(401, vec![("www-authenticate", "Bearer")])),
        ("forbidden upstream credential", with(403, vec![])),
        ("redirect", with(302, vec![("location", "http://169.254.169.254/")])),
        ("permanent redirect", with(308, vec![("location", "/v2/chat/completions")])),
        ("unknown model", with(404, vec![])),
        ("busy", with(429, vec![("retry-after", "7")])),
        ("overloaded", with(503, vec![])),
        ("broken", with(500, vec![])),
        ("a web page", html(200)),
        ("hangs up", Script::HangUp),
        ("says nothing", Script::Silence),
    ] {
        world.server.next(script);
        let answer = world.chat().await;
        let retry = answer.header("retry-after").map(|secs| format!(" (retry after {secs} s)")).unwrap_or_default();
        lines.push_str(&format!("{case}\n    {}{retry}\n", answer.line()));
        assert!(
            !format!("{answer:?}").contains("sk-upstream")
                && answer.header("location").is_none()
                && answer.header("www-authenticate").is_none()
        );
        assert_eq!(world.test.audit.last().outcome, Outcome::Failed, "{case}");
    }
    // Port 9 is discard: nothing listens there.
    world.gateway.set_upstreams(vec![UpstreamConfig::open_ai("default", "http://127.0.0.1:9/v1".parse().unwrap())]).unwrap();
    lines.push_str(&format!("not there\n    {}\n", world.chat().await.line()));
    world.change_deployment("chat", |deployment| deployment.upstream = Some("gone".to_owned())).await;
    lines.push_str(&format!("not configured\n    {}\n", world.chat().await.line()));
    insta::assert_snapshot!("upstream_faults", lines);
}

#[tokio::test]
async fn what_is_no_error_of_an_api_is_not_passed_on_d16() {
    let mut world = World::new().await;
    let ours = r#"{"error":{"code":"BadRequest","message":"The model server finds the request wrong and does not say why."}}"#;
    let page = || Script::Whole { status: 400, content_type: "text/html", headers: vec![], body: "<h1>proxy at 10.0.0.1</h1>".to_owned() };
    let event = Script::Whole { status: 400, content_type: "text/event-stream", headers: vec![], body: "data: 10.0.0.1\n\n".to_owned() };
    for script in [
        page(),
        event,
        Script::json(400, "10.0.0.1"),
        Script::json(400, r#"{"debug":"10.0.0.1"}"#),
        Script::json(400, r#"{"error":"10.0.0.1"}"#),
    ] {
        world.server.next(script);
        let answer = world.chat().await;
        assert_eq!(answer.line(), format!("400 {ours}"));
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    }
    world.server.next(Script::json(400, r#"{"object":"error","message":"too long","type":"BadRequestError","code":400}"#));
    assert_eq!(world.chat().await.line(), r#"400 {"error":{"code":"BadRequest","message":"too long"}}"#, "as older vLLM says it");
}

#[tokio::test]
async fn what_the_server_finds_wrong_with_the_request_is_the_callers_to_read() {
    let mut world = World::new().await;
    let body = r#"{"error":{"message":"This model's maximum context length is 4096 tokens.","type":"invalid_request_error","code":"context_length_exceeded"}}"#;
    for status in [400, 409, 422] {
        world.server.next(Script::json(status, body));
        assert_eq!(world.chat().await.line(), format!("{status} {body}"));
        let event = world.test.audit.last();
        assert_eq!((event.outcome, event.status), (Outcome::Failed, Some(status)));
        assert!(event.decision.unwrap().allowed);
    }
}
