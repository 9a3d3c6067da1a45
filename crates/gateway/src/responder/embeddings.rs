//! Embeddings: a vector that depends on nothing but the text. Equal texts are equal, and that is all it knows of meaning.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::words::{limit_of, tokens};
use super::{Answering, Said, wrong};

const DIMENSIONS: u64 = 256;
const MAX_DIMENSIONS: u64 = 3072;
const MAX_INPUTS: usize = 2048;

pub(super) fn embeddings(request: &Value, answering: &Answering<'_>) -> Said {
    let Some(inputs) = request.get("input").and_then(inputs_of) else {
        return wrong("`input` must be a text, a list of up to 2,048 texts, or token numbers");
    };
    let dimensions = limit_of(request, &["dimensions"]).unwrap_or(DIMENSIONS).clamp(1, MAX_DIMENSIONS);
    let base64 = request.get("encoding_format").and_then(Value::as_str) == Some("base64");
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text, dimensions);
            let embedding = if base64 {
                STANDARD.encode(vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()).into()
            } else {
                json!(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let used: u64 = inputs.iter().map(|text| tokens(text)).sum();
    let usage = json!({"prompt_tokens": used, "total_tokens": used});
    Said::Document(200, json!({"object": "list", "data": data, "model": answering.model, "usage": usage}))
}

/// One text per vector. Numbers are tokens of one text; lists of numbers are several.
fn inputs_of(input: &Value) -> Option<Vec<String>> {
    let numbers = |list: &[Value]| {
        list.iter().map(|token| token.as_u64().map(|token| token.to_string())).collect::<Option<Vec<_>>>().map(|all| all.join(" "))
    };
    match input {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) if list.is_empty() || list.len() > MAX_INPUTS => None,
        Value::Array(list) => numbers(list).map(|text| vec![text]).or_else(|| {
            let one = |item: &Value| match item {
                Value::String(text) => Some(text.clone()),
                Value::Array(tokens) => numbers(tokens),
                _ => None,
            };
            list.iter().map(one).collect()
        }),
        _ => None,
    }
}

/// Numbers in -1..1 from a hash of the text, scaled to length one as OpenAI's are.
fn vector(text: &str, dimensions: u64) -> Vec<f32> {
    let mut numbers = Vec::new();
    for block in 0..dimensions.div_ceil(16) {
        let hash = digest(&SHA256, &[block.to_le_bytes().as_slice(), text.as_bytes()].concat());
        numbers.extend(hash.as_ref().chunks_exact(2).map(|pair| {
            let number = pair.iter().fold(0u16, |number, byte| number << 8 | u16::from(*byte));
            f32::from(number) / 32_767.5 - 1.0
        }));
    }
    numbers.truncate(usize::try_from(dimensions).unwrap_or_default());
    let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    numbers.iter().map(|x| x / length).collect()
}
