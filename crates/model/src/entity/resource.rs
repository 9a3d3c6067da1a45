//! The containers of ARM, and resources that Keyless keeps without giving them a meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Scope, SubscriptionId, TenantId, Timestamp};

/// ARM tags.
pub type Tags = BTreeMap<String, String>;

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    pub id: TenantId,
    pub display_name: String,
    /// The domain by which clients may name the tenant instead of its id.
    pub domain: String,
    pub created: Timestamp,
}

impl Tenant {
    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}

/// A management group; groups and subscriptions hang below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagementGroup {
    pub name: String,
    pub tenant: TenantId,
    pub display_name: String,
    /// The parent group's name; none directly below the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

impl ManagementGroup {
    pub(super) fn entity_id(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    pub id: SubscriptionId,
    pub tenant: TenantId,
    pub display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_group: Option<String>,
}

impl Subscription {
    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}

/// A resource group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceGroup {
    pub scope: Scope,
    pub location: String,
    #[serde(default)]
    pub tags: Tags,
    pub created: Timestamp,
}

impl ResourceGroup {
    pub(super) fn entity_id(&self) -> String {
        self.scope.folded().to_owned()
    }
}

/// A resource of a type that Keyless only stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenericResource {
    pub scope: Scope,
    pub location: String,
    #[serde(default)]
    pub tags: Tags,
    /// `sku`, `kind`, `properties` and whatever else the writer sent.
    pub body: serde_json::Value,
    pub created: Timestamp,
}

impl GenericResource {
    pub(super) fn entity_id(&self) -> String {
        self.scope.folded().to_owned()
    }
}

/// What a lock forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockLevel {
    CanNotDelete,
    ReadOnly,
}

/// A management lock; holds for its scope and everything below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    pub scope: Scope,
    pub name: String,
    pub level: LockLevel,
    #[serde(default)]
    pub notes: Option<String>,
}

impl Lock {
    pub(super) fn entity_id(&self) -> String {
        format!("{}/providers/microsoft.authorization/locks/{}", self.scope.folded(), self.name.to_ascii_lowercase())
    }
}
