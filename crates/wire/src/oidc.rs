//! OpenID Connect discovery and Entra's instance discovery.

use serde::{Deserialize, Serialize};

/// `/{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, RFC 8414).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIdConfiguration {
    pub token_endpoint: String,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub jwks_uri: String,
    pub response_modes_supported: Vec<String>,
    pub subject_types_supported: Vec<String>,
    pub id_token_signing_alg_values_supported: Vec<String>,
    pub response_types_supported: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub issuer: String,
    pub request_uri_parameter_supported: bool,
    pub authorization_endpoint: String,
    pub device_authorization_endpoint: String,
    pub end_session_endpoint: String,
    pub claims_supported: Vec<String>,
    pub code_challenge_methods_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub tenant_region_scope: Option<String>,
    pub cloud_instance_name: String,
}

impl OpenIdConfiguration {
    /// The document of one tenant below an authority.
    ///
    /// `base` is scheme, host and port without a trailing slash. `tenant` is the path segment the client used, and comes back in the
    /// endpoints; `issuer` is exactly the `iss` of the tokens (RFC 8414 section 3.3). `algorithms` are those of published keys: `none`
    /// and HMAC have no place in it.
    #[must_use]
    pub fn of_tenant(base: &str, tenant: &str, issuer: String, algorithms: &[&str]) -> Self {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        let below = |path: &str| format!("{base}/{tenant}/{path}");
        Self {
            token_endpoint: below("oauth2/v2.0/token"),
            token_endpoint_auth_methods_supported: list(&["client_secret_post", "private_key_jwt", "client_secret_basic"]),
            jwks_uri: below("discovery/v2.0/keys"),
            response_modes_supported: list(&["query", "fragment", "form_post"]),
            subject_types_supported: list(&["pairwise"]),
            id_token_signing_alg_values_supported: list(algorithms),
            response_types_supported: list(&["code"]),
            scopes_supported: list(&["openid", "profile", "email", "offline_access"]),
            issuer,
            request_uri_parameter_supported: false,
            authorization_endpoint: below("oauth2/v2.0/authorize"),
            device_authorization_endpoint: below("oauth2/v2.0/devicecode"),
            end_session_endpoint: below("oauth2/v2.0/logout"),
            claims_supported: list(&[
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nbf",
                "acr",
                "amr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "oid",
                "sid",
            ]),
            code_challenge_methods_supported: list(&["S256"]),
            grant_types_supported: list(&[
                "authorization_code",
                "client_credentials",
                "refresh_token",
                crate::oauth::GRANT_DEVICE_CODE,
                crate::oauth::GRANT_JWT_BEARER,
            ]),
            tenant_region_scope: None,
            cloud_instance_name: base.split_once("://").map_or(base, |(_, host)| host).to_owned(),
        }
    }
}

/// `GET /common/discovery/instance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceDiscovery {
    pub tenant_discovery_endpoint: String,
    #[serde(rename = "api-version")]
    pub api_version: String,
    pub metadata: Vec<InstanceMetadata>,
}

/// Hosts that are one and the same authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceMetadata {
    pub preferred_network: String,
    pub preferred_cache: String,
    pub aliases: Vec<String>,
}

impl InstanceDiscovery {
    /// An authority that has one name. `host` carries the port when it is not 443; `tenant_discovery_endpoint` is the absolute URL of
    /// the tenant's [`OpenIdConfiguration`].
    #[must_use]
    pub fn single(host: &str, tenant_discovery_endpoint: String, api_version: &str) -> Self {
        Self {
            tenant_discovery_endpoint,
            api_version: api_version.to_owned(),
            metadata: vec![InstanceMetadata {
                preferred_network: host.to_owned(),
                preferred_cache: host.to_owned(),
                aliases: vec![host.to_owned()],
            }],
        }
    }
}
