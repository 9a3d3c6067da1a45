//! An external issuer's discovery document (OpenID Connect Discovery 1.0, section 4): where its keys are.

use http::Uri;
use serde::Deserialize;

/// Why the document is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiscoveryError {
    #[error("the issuer `{0}` is not an https URL")]
    Issuer(String),
    #[error("the discovery document is not JSON with `issuer` and `jwks_uri`")]
    Malformed,
    #[error("the discovery document names another issuer than the one asked")]
    OtherIssuer,
    #[error("the keys are on another host than the issuer; name the issuer and its jwks_uri in the configuration if that is meant")]
    OtherHost,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// The document's address: the issuer without its trailing slash, and the well-known path.
pub(super) fn document_url(issuer: &str) -> Result<Uri, DiscoveryError> {
    let refused = || DiscoveryError::Issuer(issuer.chars().take(200).collect());
    let url: Uri = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')).parse().map_err(|_| refused())?;
    if url.query().is_some() || issuer.contains('#') || url.authority().is_none() {
        return Err(refused());
    }
    Ok(url)
}

/// Where the keys are. The document must name the very issuer (case 55) and keys on its own host (case 56).
pub(super) fn jwks_url(issuer: &str, document: &[u8]) -> Result<Uri, DiscoveryError> {
    let document: Document = serde_json::from_slice(document).map_err(|_| DiscoveryError::Malformed)?;
    if document.issuer != issuer {
        return Err(DiscoveryError::OtherIssuer);
    }
    let keys: Uri = document.jwks_uri.parse().map_err(|_| DiscoveryError::Malformed)?;
    let issuer: Uri = issuer.parse().map_err(|_| DiscoveryError::Issuer(document.issuer))?;
    if keys.scheme() != issuer.scheme() || keys.authority() != issuer.authority() {
        return Err(DiscoveryError::OtherHost);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(issuer: &str, keys: &str) -> Vec<u8> {
        serde_json::json!({ "issuer": issuer, "jwks_uri": keys }).to_string().into_bytes()
    }

    #[test]
    fn a_document_of_another_issuer_is_never_trusted_n55() {
        for other in ["https://ci.example/", "https://CI.example", "https://evil.example", "http://ci.example"] {
            let found = jwks_url("https://ci.example", &document(other, "https://ci.example/keys"));
            assert_eq!(found, Err(DiscoveryError::OtherIssuer), "{other}");
        }
    }

    #[test]
    fn keys_elsewhere_are_not_followed_n56() {
        for elsewhere in ["https://evil.example/keys", "http://ci.example/keys", "https://ci.example:444/keys", "https://u@ci.example/keys"]
        {
            let found = jwks_url("https://ci.example", &document("https://ci.example", elsewhere));
            assert_eq!(found, Err(DiscoveryError::OtherHost), "{elsewhere}");
        }
        assert!(jwks_url("https://ci.example", &document("https://ci.example", "https://ci.example/keys")).is_ok());
    }

    #[test]
    fn the_document_is_below_the_issuer() {
        for issuer in ["https://ci.example/x", "https://ci.example/x/"] {
            assert_eq!(document_url(issuer).unwrap(), "https://ci.example/x/.well-known/openid-configuration");
        }
        for bad in ["ci.example", "https://ci.example/?x=1", "https://ci.example/#x", "", "https://"] {
            assert!(document_url(bad).is_err(), "{bad}");
        }
    }
}
