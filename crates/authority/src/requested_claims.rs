//! The `claims` parameter (OpenID Connect Core 5.5): what the client can handle, and what a claims challenge made it ask for.
//!
//! Of the challenge (`nbf`, "issued after") nothing needs doing: a token request is answered with a new token by definition, and
//! the principal's own revocation time decides whether it may have one.

use serde_json::Value;

use crate::codes;
use crate::refusal::Refusal;

/// The one client capability that exists: the client understands claims challenges.
const CP1: &str = "CP1";
/// Azure's clients send less than 200 bytes.
const MAX_BYTES: usize = 8 * 1024;

/// The capabilities that go into the token's `xms_cc`.
pub(crate) fn capabilities(claims: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(text) = claims else { return Ok(Vec::new()) };
    // Azure's JavaScript library writes the capability in lower case.
    let understood = |values: &[Value]| values.iter().any(|value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(CP1)));
    match requested_values(text) {
        Some(values) if understood(&values) => Ok(vec![CP1.to_owned()]),
        Some(_) => Ok(Vec::new()),
        None => {
            let text = "The parameter 'claims' is not a JSON object of requested claims.";
            Err(Refusal::new(&codes::MALFORMED_REQUEST).with(text))
        }
    }
}

/// `access_token.xms_cc.values`, empty when nothing asks for it; none when the text is something else than requested claims.
fn requested_values(text: &str) -> Option<Vec<Value>> {
    let document: Value = serde_json::from_str(text).ok().filter(|_| text.len() <= MAX_BYTES)?;
    let mut found = document;
    for name in ["access_token", "xms_cc", "values"] {
        found = match found {
            Value::Object(mut members) => members.remove(name).unwrap_or_default(),
            _ => return None,
        };
        if found.is_null() {
            return Some(Vec::new());
        }
    }
    match found {
        Value::Array(values) if values.iter().all(Value::is_string) => Some(values),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_capability_reaches_a_token() {
        let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"},"xms_cc":{"values":["cp1","<script>"]}}}"#;
        assert_eq!(capabilities(Some(challenge)).unwrap(), ["CP1"]);
        assert!(capabilities(Some(r#"{"access_token":{"nbf":null}}"#)).unwrap().is_empty());
        assert!(capabilities(None).unwrap().is_empty());
    }

    #[test]
    fn claims_that_are_no_object_are_refused() {
        for text in ["[]", "CP1", "{", r#"{"access_token":{"xms_cc":{"values":[1]}}}"#, &"[".repeat(9000)] {
            assert_eq!(capabilities(Some(text)).unwrap_err().code().number, 9_002_313);
        }
    }
}
