//! What a token says, for people. Never its signature: without that, what is shown cannot be used.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::{Secret, Timestamp};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Header and claims of a token whose signature nobody has checked.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    header: Value,
    claims: Value,
}

impl Decoded {
    /// # Errors
    /// When the token is no JSON web token; other systems may issue such.
    pub(crate) fn read(token: &Secret<String>) -> Result<Self, Failure> {
        let mut segments = token.expose().split('.');
        let mut json = || {
            let bytes = URL_SAFE_NO_PAD.decode(segments.next()?).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        match (json(), json()) {
            (Some(header), Some(claims)) => Ok(Self { header, claims }),
            _ => {
                Err(Failure::new("the token is opaque: it is no JSON web token", "print it with --print, and ask its issuer what it says"))
            }
        }
    }

    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.claims.get("exp").and_then(Value::as_i64).map(Timestamp::from_unix_secs)
    }

    pub(super) fn pretty(&self) -> String {
        format!("{:#}", json!({ "header": self.header, "claims": self.claims }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Secret<String> {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Secret::new(format!("{}.{}.c2lnbmF0dXJl", part(json!({ "alg": "RS256" })), part(json!({ "oid": "o-1", "exp": 60 }))))
    }

    #[test]
    fn a_token_is_shown_without_its_signature() {
        let decoded = Decoded::read(&token()).unwrap();
        assert_eq!(decoded.text("oid"), Some("o-1"));
        assert_eq!(decoded.expires(), Some(Timestamp::from_unix_secs(60)));
        assert!(decoded.pretty().contains("RS256"));
        assert!(!decoded.pretty().contains("c2lnbmF0dXJl") && !decoded.pretty().contains("signature"));
    }

    #[test]
    fn an_opaque_token_is_said_to_be_one() {
        assert!(Decoded::read(&Secret::new("opaque".to_owned())).unwrap_err().what.contains("opaque"));
    }
}
