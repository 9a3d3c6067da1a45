//! AI accounts and their deployments.

use serde::{Deserialize, Serialize};

use crate::entity::{AssignedIdentities, Sealed, Tags};
use crate::{Scope, Timestamp};

/// `sku` of an account or deployment. One unit of a deployment's capacity is 1,000 tokens per minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sku {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

/// What the network rules say about an address that no rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NetworkDefault {
    #[default]
    Allow,
    Deny,
}

/// Whether the account answers beyond private networks at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PublicNetworkAccess {
    #[default]
    Enabled,
    Disabled,
}

/// One allowed address or CIDR block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpRule {
    pub value: String,
}

/// A virtual network rule; stored and shown, and never matched, because there are no virtual networks here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VirtualNetworkRule {
    pub id: String,
}

/// `networkAcls` of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAcls {
    #[serde(default)]
    pub default_action: NetworkDefault,
    #[serde(default)]
    pub ip_rules: Vec<IpRule>,
    #[serde(default)]
    pub virtual_network_rules: Vec<VirtualNetworkRule>,
}

/// An Azure OpenAI account (`Microsoft.CognitiveServices/accounts`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub scope: Scope,
    pub location: String,
    /// `OpenAI` or `AIServices`.
    pub account_kind: String,
    pub sku: Sku,
    /// The name in the endpoint; unique in the system, lower case.
    pub custom_subdomain: String,
    /// API keys work only when this is false; new accounts start with true.
    pub disable_local_auth: bool,
    #[serde(default)]
    pub public_network_access: PublicNetworkAccess,
    #[serde(default)]
    pub network_acls: NetworkAcls,
    #[serde(default)]
    pub identity: AssignedIdentities,
    /// API keys 1 and 2, sealed.
    pub keys: [Sealed; 2],
    #[serde(default)]
    pub tags: Tags,
    pub created: Timestamp,
    /// Set when soft-deleted; the account then answers nothing and may be recovered or purged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
    /// Counts changes; the ARM etag.
    pub version: u64,
}

impl Account {
    pub(super) fn entity_id(&self) -> String {
        self.scope.folded().to_owned()
    }
}

/// `properties.model` of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentModel {
    pub format: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A model made callable under a name within an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    pub scope: Scope,
    pub model: DeploymentModel,
    pub sku: Sku,
    /// The configured upstream that serves it; the default upstream when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    #[serde(default)]
    pub tags: Tags,
    pub created: Timestamp,
    pub version: u64,
}

impl Deployment {
    pub(super) fn entity_id(&self) -> String {
        self.scope.folded().to_owned()
    }
}
