//! JSON Web Key Sets (RFC 7517), the public half only: the types have no member that could hold a private number.

use serde::{Deserialize, Serialize};

/// `GET /{tenant}/discovery/v2.0/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

/// One public verification key. Big numbers are base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `RSA` or `EC`.
    pub kty: String,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// RSA modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA public exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Curve name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// Curve point, first coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Curve point, second coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
}

impl Jwk {
    /// An RSA signature key; `n` and `e` are base64url.
    #[must_use]
    pub fn rsa(kid: &str, alg: &str, n: String, e: String) -> Self {
        Self { n: Some(n), e: Some(e), ..Self::signature("RSA", kid, alg) }
    }

    /// A P-256 signature key; `x` and `y` are base64url of 32 bytes each.
    #[must_use]
    pub fn p256(kid: &str, alg: &str, x: String, y: String) -> Self {
        Self { crv: Some("P-256".to_owned()), x: Some(x), y: Some(y), ..Self::signature("EC", kid, alg) }
    }

    fn signature(kty: &str, kid: &str, alg: &str) -> Self {
        Self {
            kty: kty.to_owned(),
            usage: Some("sig".to_owned()),
            kid: Some(kid.to_owned()),
            alg: Some(alg.to_owned()),
            n: None,
            e: None,
            crv: None,
            x: None,
            y: None,
        }
    }
}
