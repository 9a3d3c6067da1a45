//! The `claims` parameter (OpenID Connect Core 5.5): what the client can handle, and what a claims challenge made it ask for.
//!
//! Of the challenge (`nbf`, "issued after") nothing needs doing: a token request is answered with a new token by definition, and
//! the principal's own revocation time decides whether it may have one.

use serde::Deserialize;

use crate::codes;
use crate::refusal::Refusal;

/// The one client capability that exists: the client understands claims challenges.
const CP1: &str = "CP1";
/// Azure's clients send less than 200 bytes.
const MAX_BYTES: usize = 8 * 1024;

#[derive(Default, Deserialize)]
struct RequestedClaims {
    #[serde(default)]
    access_token: AccessToken,
}

#[derive(Default, Deserialize)]
struct AccessToken {
    #[serde(default)]
    xms_cc: Option<Values>,
}

#[derive(Deserialize)]
struct Values {
    #[serde(default)]
    values: Vec<String>,
}

/// The capabilities that go into the token's `xms_cc`.
pub(crate) fn capabilities(claims: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(text) = claims else { return Ok(Vec::new()) };
    let malformed = || Refusal::new(&codes::MALFORMED_REQUEST).with("The parameter 'claims' is not a JSON object of requested claims.");
    if text.len() > MAX_BYTES {
        return Err(malformed());
    }
    let requested: RequestedClaims = serde_json::from_str(text).map_err(|_| malformed())?;
    let values = requested.access_token.xms_cc.map(|found| found.values).unwrap_or_default();
    // Azure's JavaScript library writes it in lower case.
    Ok(if values.iter().any(|value| value.eq_ignore_ascii_case(CP1)) { vec![CP1.to_owned()] } else { Vec::new() })
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
