//! The managed-identity endpoints: IMDS, the App Service form and Azure Arc's challenge.

use serde::{Deserialize, Serialize};

/// IMDS `GET /metadata/identity/oauth2/token`, status 200: every value is a string, the numbers too. Holds a live secret: its `Debug` is a label.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImdsToken {
    pub access_token: String,
    pub client_id: String,
    pub expires_in: String,
    /// Seconds since 1970.
    pub expires_on: String,
    pub ext_expires_in: String,
    pub not_before: String,
    pub resource: String,
    pub token_type: String,
}

impl ImdsToken {
    /// `issued` and `expires` are seconds since 1970, `now` decides `expires_in`.
    #[must_use]
    pub fn new(access_token: String, client_id: String, resource: String, issued: i64, expires: i64, now: i64) -> Self {
        let left = expires.saturating_sub(now).max(0).to_string();
        Self {
            access_token,
            client_id,
            expires_in: left.clone(),
            expires_on: expires.to_string(),
            ext_expires_in: left,
            not_before: issued.to_string(),
            resource,
            token_type: "Bearer".to_owned(),
        }
    }
}

/// IMDS and Arc errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImdsError {
    pub error: String,
    pub error_description: String,
    #[serde(rename = "newest-versions", default, skip_serializing_if = "Option::is_none")]
    pub newest_versions: Option<Vec<String>>,
}

impl ImdsError {
    #[must_use]
    pub fn new(error: &str, error_description: &str) -> Self {
        Self { error: error.to_owned(), error_description: error_description.to_owned(), newest_versions: None }
    }

    /// 400: the `Metadata: true` header is missing.
    #[must_use]
    pub fn metadata_header_missing() -> Self {
        Self::new("bad_request_102", "Required metadata header not specified")
    }

    /// 400: the selector names no identity of the caller.
    #[must_use]
    pub fn identity_not_found() -> Self {
        Self::new("invalid_request", "Identity not found")
    }

    /// 400: several user-assigned identities and no selector.
    #[must_use]
    pub fn several_identities() -> Self {
        Self::new(
            "invalid_request",
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
        )
    }
}

/// IMDS, status 400: `api-version` is missing or unknown. The only IMDS error without a description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImdsVersionError {
    pub error: String,
    /// What is served, newest first.
    #[serde(rename = "newest-versions")]
    pub newest_versions: Vec<String>,
}

impl ImdsVersionError {
    #[must_use]
    pub fn new(newest: &[&str]) -> Self {
        Self {
            error: "Bad request. api-version is invalid or was not specified in the request. For more information refer to \
                    aka.ms/azureimds"
                .to_owned(),
            newest_versions: newest.iter().map(|version| (*version).to_owned()).collect(),
        }
    }
}

/// The App Service form (`IDENTITY_ENDPOINT`, api-version 2019-08-01), status 200. Its `Debug` is a label, too.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppServiceToken {
    pub access_token: String,
    pub client_id: String,
    /// Seconds since 1970, as a string.
    pub expires_on: String,
    pub resource: String,
    pub token_type: String,
}

impl AppServiceToken {
    /// `expires` is seconds since 1970.
    #[must_use]
    pub fn new(access_token: String, client_id: String, resource: String, expires: i64) -> Self {
        Self { access_token, client_id, expires_on: expires.to_string(), resource, token_type: "Bearer".to_owned() }
    }
}

/// App Service errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppServiceError {
    pub status_code: u16,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

impl AppServiceError {
    #[must_use]
    pub fn new(status_code: u16, message: &str, correlation_id: Option<&str>) -> Self {
        Self { status_code, message: message.to_owned(), correlation_id: correlation_id.map(ToOwned::to_owned) }
    }

    /// 400: the selector names no identity of the caller.
    #[must_use]
    pub fn identity_not_found(correlation_id: &str) -> Self {
        Self::new(
            400,
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
            Some(correlation_id),
        )
    }
}

crate::label_only!(ImdsToken, AppServiceToken);
