//! Azure Resource Manager: the error envelope and lists.

use serde::{Deserialize, Serialize};

/// `{"error":{..}}`, which `az` prints as `(Code) Message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmError {
    pub error: ArmErrorBody,
}

/// The body of an [`ArmError`] and of its details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArmErrorBody {
    pub code: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<ArmErrorBody>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_info: Vec<ArmErrorInfo>,
}

/// One entry of `additionalInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmErrorInfo {
    #[serde(rename = "type")]
    pub kind: String,
    pub info: serde_json::Value,
}

impl ArmError {
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { error: ArmErrorBody::new(code, message) }
    }

    /// Names the property or parameter at fault.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.error.target = Some(target.into());
        self
    }

    /// Adds one finding.
    #[must_use]
    pub fn detail(mut self, detail: ArmErrorBody) -> Self {
        self.error.details.push(detail);
        self
    }
}

impl ArmErrorBody {
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), target: None, details: Vec::new(), additional_info: Vec::new() }
    }
}

/// A page of a list. `nextLink` is absolute and followed as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmList<T> {
    pub value: Vec<T>,
    #[serde(rename = "nextLink", default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

impl<T> ArmList<T> {
    /// A list that fits on one page.
    #[must_use]
    pub const fn whole(value: Vec<T>) -> Self {
        Self { value, next_link: None }
    }
}
