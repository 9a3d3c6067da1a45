//! Chat completions, and the older completions.

use bytes::Bytes;
use serde_json::{Value, json};

use super::words::{limit_of, text_of, tokens, words};
use super::{Answering, Said, event, wrong};

pub(super) fn chat(request: &Value, answering: &Answering<'_>) -> Said {
    let Some(messages) = request.get("messages").filter(|messages| messages.as_array().is_some_and(|list| !list.is_empty())) else {
        return wrong("`messages` must be a list with at least one message");
    };
    let form = Form {
        id: format!("chatcmpl-{}", answering.id),
        object: "chat.completion",
        chunk: "chat.completion.chunk",
        whole: |text, reason| json!({"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": null, "finish_reason": reason}),
        piece: |text, reason| {
            let delta = text.map_or_else(|| json!({}), |text| json!({"role": "assistant", "content": text}));
            json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason})
        },
    };
    form.say(request, &text_of(messages), limit_of(request, &["max_completion_tokens", "max_tokens"]), answering)
}

pub(super) fn completions(request: &Value, answering: &Answering<'_>) -> Said {
    let Some(prompt) = request.get("prompt") else { return wrong("`prompt` is missing") };
    let form = Form {
        id: format!("cmpl-{}", answering.id),
        object: "text_completion",
        chunk: "text_completion",
        whole: |text, reason| json!({"index": 0, "text": text, "logprobs": null, "finish_reason": reason}),
        piece: |text, reason| json!({"index": 0, "text": text.unwrap_or_default(), "logprobs": null, "finish_reason": reason}),
    };
    form.say(request, &text_of(prompt), limit_of(request, &["max_tokens"]), answering)
}

/// In which the two interfaces differ.
struct Form {
    id: String,
    object: &'static str,
    chunk: &'static str,
    whole: fn(&str, &str) -> Value,
    piece: fn(Option<&str>, Option<&str>) -> Value,
}

impl Form {
    fn say(&self, request: &Value, prompt: &str, max: Option<u64>, answering: &Answering<'_>) -> Said {
        let (words, all) = words(max);
        let reason = if all { "stop" } else { "length" };
        let (asked, said) = (tokens(prompt), words.len() as u64);
        let usage = json!({"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said});
        let head = |object: &str, choices: Value| json!({"id": self.id, "object": object, "created": answering.created, "model": answering.model, "choices": choices});
        if request.get("stream") != Some(&Value::Bool(true)) {
            let text = words.concat();
            let mut answer = head(self.object, json!([(self.whole)(text.trim_end(), reason)]));
            answer["usage"] = usage;
            return Said::Document(200, answer);
        }
        let mut events: Vec<Bytes> = words.iter().map(|word| event(&head(self.chunk, json!([(self.piece)(Some(word), None)])))).collect();
        events.push(event(&head(self.chunk, json!([(self.piece)(None, Some(reason))]))));
        if request.pointer("/stream_options/include_usage") == Some(&Value::Bool(true)) {
            let mut last = head(self.chunk, json!([]));
            last["usage"] = usage;
            events.push(event(&last));
        }
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        Said::Events(events)
    }
}
