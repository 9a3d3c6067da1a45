//! What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as a sign-in needs it.

use http::Uri;
use keyless_token::Algorithm;
use serde::Deserialize;

/// Why the provider cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MetadataError {
    #[error("the issuer is not an https URL")]
    Issuer,
    #[error("the discovery document is not JSON with issuer, endpoints and jwks_uri")]
    Malformed,
    #[error("the discovery document is of another issuer than the one it was asked for")]
    OtherIssuer,
    #[error("the provider's {0} is not an https URL")]
    Insecure(&'static str),
    #[error("the provider offers no code flow")]
    NoCodeFlow,
    #[error("the provider signs with none of RS256, PS256 and ES256")]
    Algorithms,
    #[error("the provider's token endpoint takes neither client_secret_basic nor client_secret_post")]
    ClientAuthentication,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default = "code")]
    response_types_supported: Vec<String>,
    #[serde(default = "rs256")]
    id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default = "basic")]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

fn code() -> Vec<String> {
    vec!["code".to_owned()]
}

fn rs256() -> Vec<String> {
    vec!["RS256".to_owned()]
}

fn basic() -> Vec<String> {
    vec!["client_secret_basic".to_owned()]
}

/// How the client secret travels (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretIn {
    Header,
    Form,
}

/// A provider that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// Where browsers go: text, because they read it.
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: Uri,
    pub(super) jwks_uri: Uri,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) secret_in: SecretIn,
    /// Whether its answers say `iss` (RFC 9207).
    pub(super) names_itself: bool,
}

/// The document's address.
pub(super) fn document_url(issuer: &str) -> Result<Uri, MetadataError> {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')).parse().map_err(|_| MetadataError::Issuer)
}

impl Metadata {
    pub(super) fn parse(issuer: &str, document: &[u8]) -> Result<Self, MetadataError> {
        let document: Document = serde_json::from_slice(document).map_err(|_| MetadataError::Malformed)?;
        if document.issuer != issuer {
            return Err(MetadataError::OtherIssuer);
        }
        if !document.response_types_supported.iter().any(|kind| kind == "code") {
            return Err(MetadataError::NoCodeFlow);
        }
        let algorithms: Vec<Algorithm> =
            document.id_token_signing_alg_values_supported.iter().filter_map(|name| Algorithm::parse(name)).collect();
        if algorithms.is_empty() {
            return Err(MetadataError::Algorithms);
        }
        let takes = |method: &str| document.token_endpoint_auth_methods_supported.iter().any(|known| known == method);
        let secret_in = if takes("client_secret_basic") {
            SecretIn::Header
        } else if takes("client_secret_post") || takes("none") {
            SecretIn::Form
        } else {
            return Err(MetadataError::ClientAuthentication);
        };
        secure("authorization_endpoint", &document.authorization_endpoint)?;
        Ok(Self {
            token_endpoint: secure("token_endpoint", &document.token_endpoint)?,
            jwks_uri: secure("jwks_uri", &document.jwks_uri)?,
            authorization_endpoint: document.authorization_endpoint,
            algorithms,
            secret_in,
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }
}

/// An https URL. Whether its host may be reached is decided where it is fetched.
fn secure(what: &'static str, url: &str) -> Result<Uri, MetadataError> {
    let parsed: Uri = url.parse().map_err(|_| MetadataError::Insecure(what))?;
    let sound = parsed.scheme_str() == Some("https") && parsed.authority().is_some_and(|found| !found.as_str().contains('@'));
    if sound && !url.contains('#') { Ok(parsed) } else { Err(MetadataError::Insecure(what)) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://login.example/t";

    fn parsed(changes: &Value) -> Result<Metadata, MetadataError> {
        let mut document = json!({
            "issuer": ISSUER, "authorization_endpoint": "https://login.example/authorize", "token_endpoint": "https://login.example/token",
            "jwks_uri": "https://keys.example/keys",
        });
        document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        Metadata::parse(ISSUER, document.to_string().as_bytes())
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_the_standard() {
        let metadata = parsed(&json!({})).unwrap();
        assert_eq!((metadata.secret_in, metadata.names_itself), (SecretIn::Header, false));
        assert_eq!(metadata.algorithms, [Algorithm::RS256]);
        let posted = parsed(&json!({"token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"]})).unwrap();
        assert_eq!(posted.secret_in, SecretIn::Form);
    }

    #[test]
    fn a_provider_that_cannot_be_trusted_is_not_used() {
        for (changes, expected) in [
            (json!({"issuer": "https://login.example/other"}), MetadataError::OtherIssuer),
            (json!({"issuer": "https://login.example/t/"}), MetadataError::OtherIssuer),
            (json!({"token_endpoint": "http://login.example/token"}), MetadataError::Insecure("token_endpoint")),
            (json!({"jwks_uri": "http://login.example/keys"}), MetadataError::Insecure("jwks_uri")),
            (json!({"authorization_endpoint": "javascript:alert(1)"}), MetadataError::Insecure("authorization_endpoint")),
            (json!({"authorization_endpoint": "https://u@login.example/"}), MetadataError::Insecure("authorization_endpoint")),
            (json!({"id_token_signing_alg_values_supported": ["none", "HS256"]}), MetadataError::Algorithms),
            (json!({"response_types_supported": ["id_token"]}), MetadataError::NoCodeFlow),
            (json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}), MetadataError::ClientAuthentication),
            (json!({"token_endpoint": 1}), MetadataError::Malformed),
        ] {
            assert_eq!(parsed(&changes), Err(expected), "{changes}");
        }
    }
}
