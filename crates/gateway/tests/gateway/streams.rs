//! Streams: order, back-pressure, cancellation, and the record before the end.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use keyless_audit::Outcome;

use crate::support::*;

const STREAM: &str = r#"{"messages":[],"stream":true}"#;
const STREAM_WITH_USAGE: &str = r#"{"messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn piece(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}],\"usage\":null}}\n\n")
}

async fn next(body: &mut Incoming) -> String {
    String::from_utf8(body.frame().await.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn each_event_passes_the_moment_it_is_there() {
    let mut world = World::new().await;
    let (feed, script) = Script::stream(1);
    world.server.next(script);
    let request = world.post(CHAT, STREAM_WITH_USAGE);
    let mut body = world.open(request).await.into_body();
    for text in ["a", "b", "c"] {
        feed.send(Ok(piece(text).into())).await.unwrap();
        assert_eq!(next(&mut body).await, piece(text));
    }
    assert!(world.test.audit.events().is_empty(), "the call is not over");
    feed.send(Ok(USAGE.into())).await.unwrap();
    assert_eq!(next(&mut body).await, USAGE);
    feed.send(Ok(DONE.into())).await.unwrap();
    assert_eq!(next(&mut body).await, DONE);
    let event = world.test.audit.last();
    let data = event.data.unwrap();
    assert_eq!((event.outcome, data.streamed, data.cancelled), (Outcome::Allowed, true, false));
    assert_eq!((data.prompt_tokens, data.completion_tokens), (Some(3), Some(5)), "recorded when [DONE] arrived, before the stream's end");
    drop(feed);
    assert!(body.frame().await.is_none());
    assert_eq!(world.test.audit.events().len(), 1);
}

#[tokio::test]
async fn the_server_is_asked_for_the_usage_and_the_caller_does_not_see_it() {
    let mut world = World::new().await;
    let (feed, script) = Script::stream(8);
    world.server.next(script);
    for text in [piece("a").as_str(), piece("b").as_str(), USAGE, DONE] {
        feed.send(Ok(Bytes::copy_from_slice(text.as_bytes()))).await.unwrap();
    }
    drop(feed);
    let request = world.post(CHAT, STREAM);
    let answer = world.send(request).await;
    assert_eq!(answer.body, [piece("a"), piece("b"), DONE.to_owned()].concat().replace(",\"usage\":null", ""));
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let seen: serde_json::Value = serde_json::from_str(&world.server.last().body).unwrap();
    assert_eq!(seen["stream_options"]["include_usage"], true);
    assert_eq!(world.test.audit.last().data.unwrap().completion_tokens, Some(5));
}

#[tokio::test]
async fn a_slow_reader_slows_the_server_down() {
    let mut world = World::new().await;
    let (feed, script) = Script::stream(1);
    world.server.next(script);
    let request = world.post(CHAT, STREAM_WITH_USAGE);
    let mut response = world.open(request).await;
    let event = piece(&"x".repeat(64 * 1024));
    let mut sent = 0;
    // The caller reads nothing: at some point no more can be sent, whatever the buffers in between hold.
    while tokio::time::timeout(Duration::from_millis(500), feed.send(Ok(event.clone().into()))).await.map(Result::unwrap).is_ok() {
        sent += 1;
        assert!(sent < 4000, "256 MB went nowhere");
    }
    // Reading makes room again.
    let read = async { while response.body_mut().frame().await.is_some_and(|frame| frame.is_ok()) {} };
    tokio::select! {
        () = read => panic!("the stream is not over"),
        sent = feed.send(Ok(event.clone().into())) => sent.unwrap(),
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_the_server_connection_along() {
    let mut world = World::new().await;
    let (feed, script) = Script::stream(1);
    world.server.next(script);
    let request = world.post(CHAT, STREAM_WITH_USAGE);
    let mut sender = world.connect().await;
    let mut response = sender.send_request(request).await.unwrap();
    feed.send(Ok(piece("a").into())).await.unwrap();
    assert_eq!(next(response.body_mut()).await, piece("a"));
    drop((response, sender));
    // The model server's stream is dropped with its connection, which closes this channel.
    tokio::time::timeout(Duration::from_secs(5), feed.closed()).await.unwrap();
    let event = world.test.audit.last();
    let data = event.data.unwrap();
    assert_eq!((event.outcome, data.cancelled), (Outcome::Failed, true));
    assert!(data.response_bytes > 0);
}

#[tokio::test]
async fn a_caller_who_goes_away_before_the_answer_is_recorded() {
    let mut world = World::new().await;
    world.server.next(Script::Silence);
    let request = world.post(CHAT, HELLO);
    let mut sender = world.connect().await;
    let mut call = Box::pin(sender.send_request(request));
    while world.server.seen().is_empty() {
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut call).await.is_err());
    }
    drop(call);
    drop(sender);
    while world.test.audit.events().is_empty() {
        tokio::task::yield_now().await;
    }
    let event = world.test.audit.last();
    assert_eq!((event.status, event.data.unwrap().cancelled), (Some(499), true));
}

#[tokio::test]
async fn a_stream_that_breaks_says_so_and_does_not_end_well() {
    let mut world = World::new().await;
    let (feed, script) = Script::stream(4);
    world.server.next(script);
    let request = world.post(CHAT, STREAM_WITH_USAGE);
    let mut body = world.open(request).await.into_body();
    feed.send(Ok(piece("a").into())).await.unwrap();
    assert_eq!(next(&mut body).await, piece("a"));
    feed.send(Err("broken")).await.unwrap();
    assert_eq!(
        next(&mut body).await,
        "data: {\"error\":{\"code\":\"BadGateway\",\"message\":\"The model server failed to answer. Please retry later.\"}}\n\n"
    );
    assert!(body.frame().await.unwrap().is_err());
    assert_eq!(world.test.audit.last().outcome, Outcome::Failed);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let mut world = World::with(|config| config.timeouts.idle = Duration::from_millis(50)).await;
    let (feed, script) = Script::stream(4);
    world.server.next(script);
    let request = world.post(CHAT, STREAM_WITH_USAGE);
    let mut body = world.open(request).await.into_body();
    feed.send(Ok(piece("a").into())).await.unwrap();
    assert_eq!(next(&mut body).await, piece("a"));
    assert!(next(&mut body).await.contains("GatewayTimeout"));
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn a_response_stream_is_metered_by_its_last_event() {
    let mut world = World::new().await;
    let (feed, script) = Script::stream(4);
    world.server.next(script);
    let events = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"usage\":null}}\n\n\
                  event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":2,\"output_tokens\":4}}}\n\n";
    feed.send(Ok(events.into())).await.unwrap();
    drop(feed);
    let request = world.post("/ai/demo-ai/openai/v1/responses", r#"{"model":"chat","input":"x","stream":true}"#);
    let answer = world.send(request).await;
    assert_eq!(answer.body, events);
    assert!(!world.server.last().body.contains("stream_options"));
    assert_eq!(world.test.audit.last().data.unwrap().completion_tokens, Some(4));
}
