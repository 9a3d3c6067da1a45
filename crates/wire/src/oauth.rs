//! The token endpoint's answers: Entra's dialect of RFC 6749, 8628 and 7009.

use serde::{Deserialize, Serialize};

/// `client_assertion_type` (RFC 7523).
pub const JWT_BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// `grant_type` of the device flow (RFC 8628); Azure's JavaScript library sends the short `device_code`.
pub const GRANT_DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// `grant_type` of the on-behalf-of flow.
pub const GRANT_JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// What a workload's external token is addressed to when it is exchanged (`aud`).
pub const TOKEN_EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// A v2 token answer. Times are numbers of seconds. Holds live secrets: its `Debug` is a label.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// Always `Bearer`.
    pub token_type: String,
    /// The granted scopes, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    pub expires_in: i64,
    pub ext_expires_in: i64,
    /// When the client should renew; Entra sends it for long-lived tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_in: Option<i64>,
    pub access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Seconds until it ends for good; Entra says so to pages in a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_expires_in: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// base64url JSON of [`ClientInfo`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_info: Option<String>,
}

impl TokenResponse {
    /// The answer to a program: no scope, no refresh token.
    #[must_use]
    pub fn bearer(access_token: String, expires_in: i64) -> Self {
        Self {
            token_type: "Bearer".to_owned(),
            scope: None,
            expires_in,
            ext_expires_in: expires_in,
            refresh_in: None,
            access_token,
            refresh_token: None,
            refresh_token_expires_in: None,
            id_token: None,
            client_info: None,
        }
    }
}

/// A v1 token answer (`/{tenant}/oauth2/token`): every time is a decimal string and the resource is named. Its `Debug` is a label, as above.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponseV1 {
    pub token_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    pub expires_in: String,
    pub ext_expires_in: String,
    /// Seconds since 1970.
    pub expires_on: String,
    pub not_before: String,
    pub resource: String,
    pub access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

/// The account that signed in: object id and tenant id. MSAL joins them as the home account id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    pub uid: String,
    pub utid: String,
}

/// Entra's error envelope. Clients decide by `error`; the AADSTS number is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthError {
    pub error: String,
    pub error_description: String,
    pub error_codes: Vec<u32>,
    /// `2026-01-01 00:00:00Z`.
    pub timestamp: String,
    pub trace_id: String,
    pub correlation_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suberror: Option<String>,
    /// JSON text that the client sends back as `claims`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
}

impl OAuthError {
    /// Fills the envelope: `error_description` becomes `AADSTS{code}: {text} Trace ID: .. Correlation ID: .. Timestamp: ..`.
    ///
    /// `timestamp` is `2026-01-01 00:00:00Z`; `authority` is scheme, host and port of the authority, for `error_uri`.
    #[must_use]
    pub fn aadsts(error: &str, code: u32, text: &str, timestamp: &str, trace_id: &str, correlation_id: &str, authority: &str) -> Self {
        Self {
            error: error.to_owned(),
            error_description: format!("AADSTS{code}: {text} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}"),
            error_codes: vec![code],
            timestamp: timestamp.to_owned(),
            trace_id: trace_id.to_owned(),
            correlation_id: correlation_id.to_owned(),
            error_uri: Some(format!("{authority}/error?code={code}")),
            suberror: None,
            claims: None,
        }
    }
}

/// The first answer of the device flow (RFC 8628 section 3.2), with Entra's `message`. Holds live codes: its `Debug` is a label.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCodeResponse {
    pub user_code: String,
    pub device_code: String,
    pub verification_uri: String,
    /// Seconds.
    pub expires_in: i64,
    /// Seconds between polls.
    pub interval: i64,
    /// What `az` prints.
    pub message: String,
}

crate::label_only!(TokenResponse, TokenResponseV1, DeviceCodeResponse);
