use serde_json::json;

use super::*;

fn said(shape: Shape, request: Value) -> Said {
    say(shape, &request, &Answering { model: "m", id: "1".to_owned(), created: 5 })
}

fn document(shape: Shape, request: Value) -> Value {
    match said(shape, request) {
        Said::Document(_, document) => document,
        Said::Events(_) => panic!("a document was expected"),
    }
}

fn stream(shape: Shape, request: Value) -> String {
    match said(shape, request) {
        Said::Events(events) => String::from_utf8(events.concat()).unwrap(),
        Said::Document(_, document) => panic!("a stream was expected, not {document}"),
    }
}

#[test]
fn it_says_that_it_is_no_model() {
    let answer = document(Shape::Chat, json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hello there"}]}]}));
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.starts_with("This is Keyless' built-in responder, not a language model."), "{text}");
    assert_eq!(answer["usage"]["prompt_tokens"], 2);
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let answer = document(Shape::Completions, json!({"prompt": ["a b"], "max_tokens": 3}));
    assert_eq!((&answer["choices"][0]["text"], &answer["choices"][0]["finish_reason"]), (&json!("This is Keyless'"), &json!("length")));
    assert_eq!(answer["usage"], json!({"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}));
}

#[test]
fn a_stream_says_the_same_in_pieces() {
    let text = stream(
        Shape::Chat,
        json!({"messages": [{"content": "x"}], "stream": true, "max_tokens": 2, "stream_options": {"include_usage": true}}),
    );
    let events: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(events.len(), 6);
    assert!(events[0].contains(r#""content":"This ""#) && events[2].contains(r#""finish_reason":"length""#));
    assert!(events[3].contains(r#""choices":[]"#) && events[3].contains(r#""completion_tokens":2"#));
    assert_eq!(events[4], "data: [DONE]");
}

#[test]
fn embeddings_are_the_same_in_both_forms() {
    let plain = document(Shape::Embeddings, json!({"input": ["a", "b", "a"], "dimensions": 20}));
    let vector = |index: usize| plain["data"][index]["embedding"].as_array().unwrap().clone();
    assert_eq!((vector(0).len(), vector(0) == vector(2), vector(0) == vector(1)), (20, true, false));
    let base64 = document(Shape::Embeddings, json!({"input": "a", "dimensions": 20, "encoding_format": "base64"}));
    let bytes =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let numbers: Vec<Value> = bytes.chunks(4).map(|x| json!(f32::from_le_bytes(x.try_into().unwrap()))).collect();
    assert_eq!(numbers, vector(0));
    let length: f64 = vector(0).iter().map(|x| x.as_f64().unwrap().powi(2)).sum();
    assert!((length - 1.0).abs() < 1e-3);
    assert_eq!(document(Shape::Embeddings, json!({"input": [[1, 2], [3]]}))["data"].as_array().unwrap().len(), 2);
}

#[test]
fn a_response_ends_with_its_usage() {
    let answer = document(Shape::Responses, json!({"input": "a b c", "instructions": "d"}));
    assert_eq!((&answer["usage"]["input_tokens"], &answer["status"]), (&json!(4), &json!("completed")));
    let text = stream(Shape::Responses, json!({"input": "a", "stream": true, "max_output_tokens": 1}));
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: response.incomplete\n") && last.contains(r#""output_tokens":1"#), "{last}");
}

#[test]
fn wrong_requests_are_refused() {
    for (shape, request) in [
        (Shape::Chat, json!({"messages": []})),
        (Shape::Completions, json!({})),
        (Shape::Embeddings, json!({"input": {}})),
        (Shape::Embeddings, json!({"input": []})),
        (Shape::Responses, json!({})),
        (Shape::Images, json!({"prompt": "x"})),
    ] {
        assert_eq!(document(shape, request)["error"]["code"], "BadRequest");
    }
}
