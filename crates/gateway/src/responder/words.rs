//! What the responder says, and how it counts.

use serde_json::Value;

/// The answer, cut to the caller's limit. It names neither the caller nor what was asked: it understood nothing of it.
pub(super) const ANSWER: &str = "This is Keyless' built-in responder, not a language model. Your call was authenticated, authorised, metered and \
                                 audited like any other; configure a model server (`--upstream URL` or `--model smollm2`) to get a model's answer.";

/// The words of the answer, each with the space before it, at most `max` of them; and whether that was all.
pub(super) fn words(max: Option<u64>) -> (Vec<&'static str>, bool) {
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let all: Vec<&str> = ANSWER.split_inclusive(' ').collect();
    let whole = all.len() <= max;
    (all.into_iter().take(max).collect(), whole)
}

/// Tokens of a text: a word is one. No tokenizer is here to know better, and the sums must only be plausible.
pub(super) fn tokens(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// All text in a JSON value: message contents in every form that clients send.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(" "),
        Value::Object(members) => {
            ["content", "text", "input_text"].iter().filter_map(|name| members.get(*name)).map(text_of).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// The first of these members that is a number.
pub(super) fn limit_of(request: &Value, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| request.get(*name)?.as_u64())
}
