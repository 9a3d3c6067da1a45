//! Finds the token counts in an answer without parsing it: `usage` stands near the end, so the end is read backwards.

use std::ops::Range;

use memchr::memmem;
use serde::Deserialize;

use crate::record::Usage;

/// The member `usage` of a JSON object: from the quote of its name to the end of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) at: Range<usize>,
    pub(super) value: Range<usize>,
}

/// Chat, completions and embeddings say `prompt_tokens`; responses say `input_tokens`.
#[derive(Deserialize)]
struct Counts {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(alias = "output_tokens")]
    completion_tokens: Option<u64>,
}

/// The counts in the last `usage` member at `depth` (1 is the top level) of the object that ends `text`. The beginning of `text`
/// may be missing.
pub(crate) fn usage_of(text: &[u8], depth: u32) -> Option<Usage> {
    let member = find(text, depth)?;
    counts(text.get(member.value)?)
}

/// Reads the value of a `usage` member; none for `null`.
pub(super) fn counts(value: &[u8]) -> Option<Usage> {
    let counts: Option<Counts> = serde_json::from_slice(value).ok()?;
    let counts = counts?;
    Some(Usage { prompt: counts.prompt_tokens?, completion: counts.completion_tokens.unwrap_or(0) })
}

/// Finds the last member `usage` at `depth`.
///
/// SECURITY: the depth matters. Text that a caller can put into an answer - metadata, tool arguments - may hold `"usage"` too, in
/// a string or deeper down, and must not be taken for the bill.
pub(super) fn find(text: &[u8], depth: u32) -> Option<Member> {
    memmem::rfind(text, b"\"usage\"")?;
    let mut level = 0u32;
    let mut end = text.len();
    // Where the value of the member under way ends: at the comma or brace behind it.
    let mut value_end = None;
    while let Some(index) = memchr_back(text.get(..end)?) {
        end = index;
        match text.get(index)? {
            b'}' | b']' => {
                level += 1;
                if level == depth {
                    value_end = Some(index);
                }
            }
            b'{' | b'[' => {
                level = level.checked_sub(1)?;
                if level < depth {
                    value_end = None;
                }
            }
            b',' if level == depth => value_end = Some(index),
            b'"' => {
                let open = string_start(text, index)?;
                let name = text.get(open..=index)?;
                if level == depth
                    && name == b"\"usage\""
                    && let Some(value) = value_after(text, index + 1, value_end?)
                {
                    return Some(Member { at: open..value.end, value });
                }
                end = open;
            }
            _ => {}
        }
    }
    None
}

/// The nearest structural byte from the end.
fn memchr_back(text: &[u8]) -> Option<usize> {
    text.iter().rposition(|byte| matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b'"'))
}

/// The quote that opens the string which `close` closes: the nearest one before that no odd run of backslashes precedes.
fn string_start(text: &[u8], close: usize) -> Option<usize> {
    let mut at = close;
    loop {
        at = memchr::memrchr(b'"', text.get(..at)?)?;
        let slashes = text.get(..at)?.iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 0 {
            return Some(at);
        }
    }
}

/// The value after the colon that follows `from`, when there is a colon: otherwise the string was a value, not a name.
fn value_after(text: &[u8], from: usize, end: usize) -> Option<Range<usize>> {
    let space = |byte: &u8| byte.is_ascii_whitespace();
    let rest = text.get(from..end)?;
    let colon = from + rest.iter().position(|byte| !space(byte))?;
    if text.get(colon) != Some(&b':') {
        return None;
    }
    let value = text.get(colon + 1..end)?;
    let start = colon + 1 + value.iter().position(|byte| !space(byte))?;
    let stop = colon + 1 + value.iter().rposition(|byte| !space(byte))? + 1;
    Some(start..stop)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHAT: &str = r#"{"id":"x","choices":[{"message":{"content":"say \"usage\":{\"prompt_tokens\":0} \\"}}],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8},"system_fingerprint":null}"#;

    fn usage(prompt: u64, completion: u64) -> Option<Usage> {
        Some(Usage { prompt, completion })
    }

    #[test]
    fn counts_are_found_wherever_they_stand() {
        assert_eq!(usage_of(CHAT.as_bytes(), 1), usage(3, 5));
        assert_eq!(usage_of(CHAT.get(60..).unwrap().as_bytes(), 1), usage(3, 5), "the beginning may be missing");
        assert_eq!(usage_of(br#"{"usage": {"prompt_tokens" : 3 } , "a":[1,{"b":"}"}]} "#, 1), usage(3, 0));
        assert_eq!(usage_of(br#"{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":4}}}"#, 2), usage(3, 4));
        assert_eq!(
            usage_of(br#"{"object":"list","data":[{"embedding":[1.0,-2e3]}],"usage":{"prompt_tokens":9,"total_tokens":9}}"#, 1),
            usage(9, 0)
        );
    }

    #[test]
    fn text_that_looks_like_counts_is_not_believed() {
        for text in [
            r#"{"metadata":{"usage":{"prompt_tokens":0}}}"#,
            r#"{"a":"\"usage\":{\"prompt_tokens\":0}"}"#,
            r#"{"a":["usage",{"prompt_tokens":0}]}"#,
            r#"{"a":"usage","b":{"prompt_tokens":0}}"#,
            r#"{"usage":null}"#,
            r#"{"usage":"many"}"#,
            r#"{"usage":{"prompt_tokens":-1}}"#,
            r#"[{"usage":{"prompt_tokens":0}}]}"#,
            "",
            "\"usage\"",
            "}\"usage\":",
        ] {
            assert_eq!(usage_of(text.as_bytes(), 1), None, "{text}");
        }
        let hidden =
            r#"{"usage":{"prompt_tokens":7,"completion_tokens":1},"metadata":{"usage":{"prompt_tokens":0,"completion_tokens":0}}}"#;
        assert_eq!(usage_of(hidden.as_bytes(), 1), usage(7, 1));
    }

    #[test]
    fn the_members_place_is_exact() {
        for (text, member) in [
            (r#"{"a":1,"usage":null}"#, r#""usage":null"#),
            (r#"{"a":1,"usage" : {"x":[1]} ,"b":2}"#, r#""usage" : {"x":[1]}"#),
            (r#"{"usage":null,"b":2}"#, r#""usage":null"#),
        ] {
            assert_eq!(&text[find(text.as_bytes(), 1).unwrap().at], member);
        }
    }

    proptest! {
        /// Reading backwards finds what a parser finds.
        #[test]
        fn it_agrees_with_a_parser(
            prompt in 0u64..1_000_000,
            completion in 0u64..1_000_000,
            text in "[\\\\\"{}\\[\\],:a-z é]{0,30}",
            first in any::<bool>(),
        ) {
            let usage_text = format!(r#""usage":{{"prompt_tokens":{prompt},"completion_tokens":{completion},"d":{{"x":[1]}}}}"#);
            let content = serde_json::to_string(&text).unwrap();
            let other = format!(r#""choices":[{{"c":{content},"usage":{{"prompt_tokens":1}}}},{content}]"#);
            let whole = if first { format!("{{{usage_text},{other}}}") } else { format!("{{{other},{usage_text}}}") };
            prop_assert_eq!(usage_of(whole.as_bytes(), 1), usage(prompt, completion));
        }

        #[test]
        fn arbitrary_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), depth in 1u32..3) {
            usage_of(&bytes, depth);
        }
    }
}
