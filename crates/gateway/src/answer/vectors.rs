//! Embeddings as the caller asked for them. OpenAI's JavaScript client asks for base64 and silently reads a list of numbers as an
//! empty vector, and some model servers send the list whatever was asked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

/// The largest answer that is converted: some 500,000 numbers.
pub(crate) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The same answer with every vector as base64 of little-endian 32-bit floats; none when it has no list of numbers.
pub(crate) fn as_base64(answer: &[u8]) -> Option<Bytes> {
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    let mut changed = false;
    for item in answer.get_mut("data")?.as_array_mut()? {
        let Some(vector) = item.get_mut("embedding") else { continue };
        let Some(numbers) = vector.as_array() else { continue };
        let bytes: Option<Vec<[u8; 4]>> = numbers.iter().map(little_endian).collect();
        *vector = STANDARD.encode(bytes?.concat()).into();
        changed = true;
    }
    changed.then(|| serde_json::to_vec(&answer).map(Bytes::from).ok())?
}

#[allow(clippy::cast_possible_truncation, reason = "vectors are 32-bit; the text merely has more digits")]
fn little_endian(number: &Value) -> Option<[u8; 4]> {
    number.as_f64().map(|number| (number as f32).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_base64_and_the_rest_stays() {
        let answer =
            br#"{"object":"list","data":[{"index":0,"embedding":[1.0,-0.5]},{"index":1,"embedding":[]}],"usage":{"prompt_tokens":2}}"#;
        let converted: Value = serde_json::from_slice(&as_base64(answer).unwrap()).unwrap();
        assert_eq!(converted["data"][0], serde_json::json!({"index": 0, "embedding": "AACAPwAAAL8="}));
        assert_eq!(converted["usage"]["prompt_tokens"], 2);
    }

    #[test]
    fn what_is_base64_already_is_left_alone() {
        for answer in [&br#"{"data":[{"embedding":"AACAPw=="}]}"#[..], b"{}", b"no json", br#"{"data":[{"embedding":["a"]}]}"#] {
            assert_eq!(as_base64(answer), None);
        }
    }
}
