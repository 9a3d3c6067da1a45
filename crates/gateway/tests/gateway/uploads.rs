//! Routes that take files: forms, passed on while they arrive.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::support::*;

const FORM: &str = "multipart/form-data; boundary=frontier";
const DATED: &str = "/ai/demo-ai/openai/deployments/chat/audio/transcriptions?api-version=2024-10-21";

fn field(name: &str, value: &str) -> String {
    format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn file(content: &str) -> String {
    format!(
        "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n{content}\r\n"
    )
}

fn form(parts: &[String]) -> String {
    [parts.concat(), "--frontier--\r\n".to_owned()].concat()
}

fn upload(world: &World, path: &str, content_type: &str, body: &str) -> Request<Full<Bytes>> {
    let token = format!("Bearer {}", world.token());
    let request = Request::post(path).header("host", "localhost").header("content-type", content_type).header("authorization", token);
    request.body(Full::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn a_form_reaches_the_model_server_with_its_own_name_of_the_model() {
    let mut world = World::new().await;
    let big = "RIFF".repeat(200_000);
    for (path, arrives_at) in [
        (DATED, "/v1/audio/transcriptions"),
        ("/ai/demo-ai/openai/v1/audio/transcriptions", "/v1/audio/transcriptions"),
        ("/ai/demo-ai/openai/deployments/chat/audio/translations?api-version=2024-10-21", "/v1/audio/translations"),
        ("/ai/demo-ai/openai/v1/audio/translations", "/v1/audio/translations"),
        ("/ai/demo-ai/openai/deployments/chat/images/edits?api-version=2024-10-21", "/v1/images/edits"),
        ("/ai/demo-ai/openai/v1/images/edits", "/v1/images/edits"),
    ] {
        world.server.next(Script::json(200, r#"{"text":"hello","usage":{"input_tokens":14,"output_tokens":2}}"#));
        let body = form(&[field("model", "chat"), field("language", "en"), file(&big)]);
        let answer = world.send(upload(&world, path, FORM, &body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let seen = world.server.last();
        assert_eq!(seen.path, arrives_at);
        assert_eq!(seen.headers["content-type"], "multipart/form-data; boundary=\"frontier\"");
        assert_eq!(seen.body, body.replace("\r\nchat\r\n", "\r\nchat-model\r\n"));
        let data = world.test.audit.last().data.unwrap();
        assert_eq!((data.prompt_tokens, data.completion_tokens), (Some(14), Some(2)));
        assert_eq!((data.deployment.as_deref(), data.request_bytes), (Some("chat"), body.len() as u64));
    }
}

#[tokio::test]
async fn the_deployment_in_the_path_needs_no_field() {
    let mut world = World::new().await;
    world.server.next(Script::json(200, "{}"));
    let answer = world.send(upload(&world, DATED, FORM, &form(&[file("RIFF")]))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(world.server.last().body, form(&[file("RIFF"), field("model", "chat-model")]));
}

#[tokio::test]
async fn transcripts_may_be_text_and_nothing_else_may() {
    let mut world = World::new().await;
    let body = form(&[field("model", "chat"), field("response_format", "srt"), file("RIFF")]);
    for (content_type, status) in [("text/plain; charset=utf-8", 200), ("application/x-subrip", 200), ("text/html", 502)] {
        let said = "1\n00:00:00,000 --> 00:00:01,000\nhello\n".to_owned();
        world.server.next(Script::Whole { status: 200, content_type, headers: Vec::new(), body: said.clone() });
        let answer = world.send(upload(&world, DATED, FORM, &body)).await;
        assert_eq!(answer.status, status, "{content_type}");
        assert_eq!(answer.body == said, status == 200);
    }
}

#[tokio::test]
async fn what_is_no_form_or_names_no_deployment_in_time_is_refused() {
    let mut world = World::with(|config| config.max_request_bytes = 2 * 1024 * 1024).await;
    let v1 = "/ai/demo-ai/openai/v1/audio/transcriptions";
    let late = form(&[file(&"x".repeat(400_000)), field("model", "chat")]);
    for (path, content_type, body, line) in [
        (v1, "application/json", HELLO.to_owned(), "400 BadRequest the request must be `multipart/form-data` with one boundary"),
        (v1, FORM, HELLO.to_owned(), "400 BadRequest the request body is no multipart form that every server reads alike (at byte 0)"),
        (v1, FORM, form(&[file("RIFF")]), "400 BadRequest the member `model` is missing; it names the deployment"),
        (v1, FORM, late, "400 BadRequest the form field `model` must come before files; it names the deployment"),
        (
            v1,
            FORM,
            form(&[field("model", "chat"), field("model", "embed")]),
            "400 BadRequest the member `model` is given twice; send it once",
        ),
        (DATED, FORM, form(&[file(&"x".repeat(3_000_000))]), "413 RequestTooLarge the request body is larger than 2097152 bytes"),
    ] {
        let answer = world.send(upload(&world, path, content_type, &body)).await;
        let error = &answer.json()["error"];
        assert_eq!(format!("{} {} {}", answer.status.as_u16(), error["code"].as_str().unwrap(), error["message"].as_str().unwrap()), line);
    }
    assert!(world.server.seen().is_empty());
}

/// The second name comes when the first part of the file is with the model server already.
#[tokio::test]
async fn a_second_model_behind_a_long_file_breaks_the_upload_off() {
    let mut world = World::new().await;
    let body = form(&[field("model", "chat"), file(&"x".repeat(1_000_000)), field("model", "other")]);
    let answer = world.send(upload(&world, DATED, FORM, &body)).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(world.server.seen().is_empty(), "no whole request arrived");
}
