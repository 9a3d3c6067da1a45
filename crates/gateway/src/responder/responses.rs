//! The responses interface.

use bytes::Bytes;
use serde_json::{Value, json};

use super::words::{limit_of, text_of, tokens, words};
use super::{Answering, Said, wrong};

pub(super) fn responses(request: &Value, answering: &Answering<'_>) -> Said {
    let Some(input) = request.get("input") else { return wrong("`input` is missing") };
    let (words, all) = words(limit_of(request, &["max_output_tokens"]));
    let text = words.concat().trim_end().to_owned();
    let asked = tokens(&text_of(input)) + request.get("instructions").map_or(0, |instructions| tokens(&text_of(instructions)));
    let (id, item, status) =
        (format!("resp_{}", answering.id), format!("msg_{}", answering.id), if all { "completed" } else { "incomplete" });
    let usage = json!({
        "input_tokens": asked, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": words.len(), "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + words.len() as u64,
    });
    let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": []});
    let message =
        |status: &str, content: Value| json!({"id": item, "type": "message", "role": "assistant", "status": status, "content": content});
    let response = |status: &str, output: Value, usage: &Value| {
        let incomplete = if status == "incomplete" { json!({"reason": "max_output_tokens"}) } else { Value::Null };
        json!({
            "id": id, "object": "response", "created_at": answering.created, "status": status, "model": answering.model, "error": null,
            "incomplete_details": incomplete, "instructions": request.get("instructions"), "metadata": {}, "output": output,
            "parallel_tool_calls": true, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0, "usage": usage,
        })
    };
    let done = response(status, json!([message(status, json!([part(&text)]))]), &usage);
    if request.get("stream") != Some(&Value::Bool(true)) {
        return Said::Document(200, done);
    }
    let mut stream = Stream::default();
    let begun = response("in_progress", json!([]), &Value::Null);
    stream.say("response.created", json!({"response": begun.clone()}));
    stream.say("response.in_progress", json!({"response": begun}));
    stream.say("response.output_item.added", json!({"output_index": 0, "item": message("in_progress", json!([]))}));
    let place = |rest: Value| merged(json!({"item_id": item, "output_index": 0, "content_index": 0}), rest);
    stream.say("response.content_part.added", place(json!({"part": part("")})));
    for word in &words {
        stream.say("response.output_text.delta", place(json!({"delta": word, "logprobs": []})));
    }
    stream.say("response.output_text.done", place(json!({"text": text, "logprobs": []})));
    stream.say("response.content_part.done", place(json!({"part": part(&text)})));
    stream.say("response.output_item.done", json!({"output_index": 0, "item": message(status, json!([part(&text)]))}));
    stream.say(if all { "response.completed" } else { "response.incomplete" }, json!({"response": done}));
    Said::Events(stream.events)
}

#[derive(Default)]
struct Stream {
    events: Vec<Bytes>,
}

impl Stream {
    fn say(&mut self, name: &str, rest: Value) {
        let data = merged(json!({"type": name, "sequence_number": self.events.len()}), rest);
        self.events.push(format!("event: {name}\ndata: {data}\n\n").into());
    }
}

fn merged(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}
