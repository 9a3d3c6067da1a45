//! Azure Monitor's log records as diagnostic settings stream them to event hubs and storage: one JSON object per line.
//!
//! Members stand in the order of the alphabet, as the service writes them. Sources: "Common and service-specific schemas for Azure
//! resource logs", "Azure activity log event schema" (section on storage accounts and event hubs), and records of the service
//! itself that collectors of such logs keep as test data.

use serde::{Deserialize, Serialize};

/// A call of a model: category `RequestResponse` of `Microsoft.CognitiveServices/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestResponse {
    /// The region, in spite of the name.
    #[serde(rename = "Tenant", default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// The end of the address is masked: `81.2.69.***`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_ip_address: Option<String>,
    /// `RequestResponse`.
    pub category: String,
    pub correlation_id: String,
    pub duration_ms: u64,
    /// `ShoeboxCallResult`.
    pub event: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// `ChatCompletions_Create`.
    pub operation_name: String,
    /// A JSON object inside a string.
    #[serde(with = "in_text")]
    pub properties: RequestResponseProperties,
    /// In upper case.
    pub resource_id: String,
    /// The HTTP status.
    pub result_signature: String,
    /// RFC 3339 with seven decimals.
    pub time: String,
}

/// The properties of [`RequestResponse`]. Times are .NET ticks: 100 ns since the year 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestResponseProperties {
    /// `Azure OpenAI API version 2024-10-21`.
    pub api_name: String,
    pub request_time: i64,
    pub request_length: u64,
    pub response_time: i64,
    pub response_length: u64,
    /// The caller's object id; empty for calls with an API key.
    pub object_id: String,
    /// `Streaming` or `Non-Streaming`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_deployment_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
}

/// Somebody handled the keys of an account: category `Audit` of `Microsoft.CognitiveServices/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyAccess {
    /// The region.
    #[serde(rename = "Tenant", default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// `Audit`.
    pub category: String,
    /// `ListKey`, `RegenerateKey`.
    pub operation_name: String,
    pub properties: KeyAccessProperties,
    /// In upper case.
    pub resource_id: String,
    pub time: String,
}

/// The properties of [`KeyAccess`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyAccessProperties {
    pub object_id: String,
}

/// An operation of the control plane, as the activity log tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Administrative {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_ip_address: Option<String>,
    /// `Administrative`.
    pub category: String,
    pub correlation_id: String,
    /// Always 0.
    pub duration_ms: u64,
    pub identity: Identity,
    /// `Information`, `Warning` or `Error`.
    pub level: String,
    /// `global`: where the event was processed.
    pub location: String,
    /// In upper case.
    pub operation_name: String,
    pub properties: AdministrativeProperties,
    /// In upper case.
    pub resource_id: String,
    /// `Succeeded.Created`, `Failed.Forbidden`.
    pub result_signature: String,
    /// `Success` or `Failure`.
    pub result_type: String,
    pub time: String,
}

/// Who did it, and what allowed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    pub authorization: Authorization,
    /// Claims of the caller's token by their names in SAML, as the activity log spells them.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// What was asked, and the assignment that allowed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    pub scope: String,
}

/// A role assignment. Ids are written without hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_type: Option<String>,
    pub role_assignment_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_definition_id: Option<String>,
}

/// The properties of [`Administrative`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdministrativeProperties {
    /// The resource's id.
    pub entity: String,
    /// `Administrative`.
    pub event_category: String,
    /// `{tenant}/{subscription}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy: Option<String>,
    /// The operation.
    pub message: String,
    /// The resource as it is now: JSON inside a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_body: Option<String>,
    pub service_request_id: String,
    /// The name of the HTTP status, such as `Created`.
    pub status_code: String,
}

mod in_text {
    //! JSON inside a JSON string.

    use serde::de::DeserializeOwned;
    use serde::{Deserialize as _, Deserializer, Serialize, Serializer, de, ser};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(value).map_err(ser::Error::custom)?)
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
