//! Microsoft Graph: the error envelope and lists.

use serde::{Deserialize, Serialize};

/// `{"error":{"code","message","innerError":{..}}}`. `az` crashes on anything that is not JSON here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphError {
    pub error: GraphErrorBody,
}

/// The body of a [`GraphError`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphErrorBody {
    pub code: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner_error: Option<GraphInnerError>,
}

/// Which request failed, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphInnerError {
    /// `2026-11-21T03:04:05`, UTC.
    pub date: String,
    #[serde(rename = "request-id")]
    pub request_id: String,
    #[serde(rename = "client-request-id")]
    pub client_request_id: String,
}

impl GraphError {
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { error: GraphErrorBody { code: code.to_owned(), message: message.into(), inner_error: None } }
    }

    #[must_use]
    pub fn of_request(mut self, date: &str, request_id: &str, client_request_id: &str) -> Self {
        self.error.inner_error = Some(GraphInnerError {
            date: date.to_owned(),
            request_id: request_id.to_owned(),
            client_request_id: client_request_id.to_owned(),
        });
        self
    }

    /// 404.
    #[must_use]
    pub fn not_found(id: &str) -> Self {
        Self::new(
            "Request_ResourceNotFound",
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present."),
        )
    }

    /// 403.
    #[must_use]
    pub fn denied() -> Self {
        Self::new("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphList<T> {
    #[serde(rename = "@odata.context", default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    #[serde(rename = "@odata.nextLink", default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
    pub value: Vec<T>,
}

impl<T> GraphList<T> {
    /// A list that fits on one page.
    #[must_use]
    pub const fn whole(value: Vec<T>) -> Self {
        Self { context: None, next_link: None, value }
    }
}
