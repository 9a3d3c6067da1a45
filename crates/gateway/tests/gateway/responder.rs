//! The built-in responder through the whole gateway.

use keyless_gateway::UpstreamConfig;

use crate::support::*;

async fn world() -> World {
    World::with(|config| config.upstreams = vec![UpstreamConfig::built_in("default")]).await
}

#[tokio::test]
async fn it_answers_says_what_it_is_and_is_metered() {
    let mut world = world().await;
    for (path, body) in [(CHAT, HELLO), (CHAT_V1, HELLO)] {
        let request = world.post(path, body);
        let answer = world.send(request).await.json();
        assert!(answer["choices"][0]["message"]["content"].as_str().unwrap().contains("not a language model"));
        assert_eq!(answer["model"], "chat-model");
        assert_eq!(world.test.audit.last().data.unwrap().prompt_tokens, Some(1));
    }
}

#[tokio::test]
async fn its_stream_shows_usage_only_on_request() {
    let mut world = world().await;
    for (options, shown) in [("", false), (r#","stream_options":{"include_usage":true}"#, true)] {
        let request = world.post(CHAT, &format!(r#"{{"messages":[{{"role":"user","content":"a b"}}],"stream":true{options}}}"#));
        let answer = world.send(request).await;
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert!(answer.body.ends_with("data: [DONE]\n\n"));
        assert_eq!(answer.body.contains("usage"), shown, "{}", answer.body);
        let data = world.test.audit.last().data.unwrap();
        assert_eq!((data.streamed, data.prompt_tokens), (true, Some(2)));
        assert!(data.completion_tokens > Some(5));
    }
}

#[tokio::test]
async fn embeddings_and_responses_work_and_wrong_requests_are_refused() {
    let mut world = world().await;
    let request = world.post(EMBED, r#"{"input":"hello world","encoding_format":"base64"}"#);
    assert!(world.send(request).await.json()["data"][0]["embedding"].is_string());
    let request = world.post("/ai/demo-ai/openai/v1/responses", r#"{"model":"chat","input":"hello"}"#);
    assert_eq!(world.send(request).await.json()["object"], "response");
    let request = world.post(CHAT, r#"{"messages":[]}"#);
    assert_eq!(world.send(request).await.status, 400);
    let long = format!(r#"{{"messages":[{{"content":"{}"}}]}}"#, "word ".repeat(200_000));
    let request = world.post(CHAT, &long);
    assert_eq!(world.send(request).await.json()["usage"]["prompt_tokens"], 200_000);
}
